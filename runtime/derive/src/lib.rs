//! runtime/derive
