#![expect(
    unsafe_code,
    reason = "values outlive the window they were made in, with their lifetime forgotten, in a traced frame"
)]
//! Live locals across a safepoint: the doors that `safepoint!` and `keep!` go through, and `Local`.
//!
//! ```text
//!   value at 'gc ──erase──▶ Erased (opaque) ──in a frame: traced──▶ Erased ──rebind──▶ value at the new 'gc
//! ```
//!
//! X1  Nothing but `keep` and `safepoint_keep` ever looks into an `Erased`: safe code that holds one can only give it back.
//! X2  An erased value is handed to the mutator that it was erased under, at once: the macros accept a variable whose type
//!     is exactly `&mut Mutator<_>`, so that no user code (a `DerefMut`) can run in between.
//! X3  A frame is listed from before `f` runs until after, unwinding included, and its data stays in place meanwhile.
//! X4  A `Local` is used with the context of its own frame only, which is asked for at each access.
use crate::mutator::cx::Cx;
use crate::mutator::frame::{Frame, OpsOf};
use crate::trace::{Rebind, Trace};
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;

/// A value whose collector lifetime is forgotten. Opaque to safe code (X1): a value at `'static` must never be seen.
#[repr(transparent)]
pub struct Erased<K>(K);

/// Forgets the collector lifetime.
///
/// # Safety
/// X2.
#[inline(always)]
pub unsafe fn erase<K: Rebind>(value: K) -> Erased<K::At<'static>> {
    let value = ManuallyDrop::new(value);
    // SAFETY: R1, the two types have one layout; the original is not used again.
    Erased(unsafe { std::mem::transmute_copy(&*value) })
}

/// Gives a value the lifetime of this window.
///
/// # Safety
/// The value is `cx`'s mutator's, and was traced by every collection since it was erased.
#[inline(always)]
pub unsafe fn rebind<'gc, K: Rebind>(_cx: &'gc Cx, value: Erased<K>) -> K::At<'gc> {
    let value = ManuallyDrop::new(value.0);
    // SAFETY: R1, the two types have one layout; the original is not used again.
    unsafe { std::mem::transmute_copy(&*value) }
}

/// A rooted local variable: a view of a [`keep!`](crate::keep) frame. Reading it is one load, and a compare that catches
/// the context of another mutator.
pub struct Local<'k, K> {
    data: *mut K,
    cx: *const Cx,
    /// Shared for as long as the frame, and invariant because of `set`.
    _frame: PhantomData<&'k fn(*mut K)>,
}

impl<K> Clone for Local<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Local<'_, K> {}

impl<K: Rebind> Local<'_, K> {
    /// The value.
    ///
    /// # Panics
    /// When `cx` is another mutator's.
    #[inline]
    pub fn get<'gc>(&self, cx: &'gc Cx) -> K::At<'gc>
    where
        K::At<'gc>: Copy,
    {
        self.check(cx);
        // SAFETY: X3, X4: the data is in place, and was traced by every collection up to this window.
        unsafe { *self.data.cast::<K::At<'gc>>() }
    }
    /// Stores a value.
    ///
    /// # Panics
    /// When `cx` is another mutator's.
    #[inline]
    pub fn set<'gc>(&self, cx: &'gc Cx, value: K::At<'gc>)
    where
        K::At<'gc>: Copy,
    {
        self.check(cx);
        // SAFETY: X3, X4.
        unsafe { *self.data.cast::<K::At<'gc>>() = value }
    }
    #[inline(always)]
    fn check(&self, cx: &Cx) {
        assert!(std::ptr::eq(self.cx, cx), "this `Local` belongs to another mutator");
    }
}

/// Runs `f` while `value` is a root.
///
/// # Safety
/// `cx` is the running mutator's, and nothing borrowed from it is live but `value` (X2).
pub(crate) unsafe fn keep_frame<K: Trace, O>(
    cx: *const Cx,
    value: Erased<K>,
    f: impl FnOnce(Local<'_, K>) -> O,
) -> (O, Erased<K>) {
    struct Pop(*const Cx, *const Frame);
    impl Drop for Pop {
        fn drop(&mut self) {
            // SAFETY: X3, the context outlives its frames.
            unsafe { (*self.0).frames.set(self.1) }
        }
    }
    let data = UnsafeCell::new(ManuallyDrop::new(value.0));
    // SAFETY: the caller's promise.
    let prev = unsafe { (*cx).frames.get() };
    let frame = Frame { prev, data: data.get().cast(), ops: OpsOf::<K>::OPS };
    let pop = Pop(cx, prev);
    // SAFETY: the caller's promise.
    unsafe { (*cx).frames.set(&raw const frame) }
    let outcome = f(Local { data: data.get().cast(), cx, _frame: PhantomData });
    drop(pop);
    (outcome, Erased(ManuallyDrop::into_inner(data.into_inner())))
}
