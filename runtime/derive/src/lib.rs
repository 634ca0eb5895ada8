//! `derive(Trace)` and `derive(Word)`: all the unsafe code that an embedder's types need, written for them.
//!
//! ```text
//!   attributes   what the embedder asked for          rebind   a type seen as a constructor over `'gc`
//!   trace        references, sharing, no `Drop`       word     an enum in one machine word
//! ```
//!
//! What the derives must never get wrong, because the collector leans on it:
//!
//! V1  Every field is either visited by `mark` and `relocate` or checked to be `'static` and free of references.
//! V2  A type that gets `Share` has only fields that are `Share`, or `Send + Sync + 'static`. The check looks at the
//!     fields themselves, through a pattern that names all of them, and is part of `mark`.
//! V3  `At<'a>` is the type with its one lifetime, and that of each parameter, replaced; nothing else changes.
//! V4  A type that can hold a reference has no `Drop` of its own.
//! V5  A word is decoded only by the variant that encoded it, and shows its pointer exactly if it has one.
use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

mod attributes;
mod rebind;
mod trace;
mod word;

/// Shows the collector every reference in a struct or an enum, and lets its values live in the heap.
///
/// The type has at most one lifetime, the collector's; a type parameter stands for a heap type unless it is marked
/// `#[trace(skip)]`, when it must be `'static` and hold no reference.
///
/// - `#[trace(root)]` on the type: it belongs to one mutator's roots, never to the heap, and may contain `Cell` and
///   the like.
/// - `#[trace(skip)]` on a field: a plain `'static` value without references (`Send + Sync` unless in a root type).
///
/// A type that can hold references can not implement `Drop`: the collector runs drop glue after an object's
/// neighbours are gone. Fields may have drop glue of their own.
#[proc_macro_derive(Trace, attributes(trace))]
pub fn derive_trace(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    trace::expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

/// Packs an enum, or a struct of one field, into one machine word, so that it can be the value of a `Slot`.
///
/// Each variant has no field or one; at most eight of them fit.
///
/// - `#[word(nan_box)]`, the default when a variant holds an `f64`: doubles are themselves, all else hides in the
///   NaNs. A variant holds an `f64` (at most one variant), a `Gc`, or a scalar of at most 32 bits.
/// - `#[word(low_tag)]`, the default otherwise: three low bits tell the variant. A variant holds a `Gc`, a scalar of
///   at most 32 bits, or a `SmallInt`.
///
/// A struct of one field has its field's word, and fits wherever the field does: a symbol is a `struct Symbol(u32)`.
#[proc_macro_derive(Word, attributes(word))]
pub fn derive_word(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    word::expand(&input).unwrap_or_else(Error::into_compile_error).into()
}
