//! The macros by which live locals cross a safepoint, and the one that makes a trait's objects known.

/// Lets a collection happen here, if one is due, with the listed values as roots. Yields the values, bound to the new
/// borrow of the mutator. When no collection is due the values never leave their registers.
///
/// `let (a, b) = safepoint!(m; a, b);`
#[macro_export]
macro_rules! safepoint {
    ($m:ident; $v:ident) => {{
        $crate::__private::exact(&$m);
        // SAFETY: the next statement hands the value to the mutator it was borrowed from.
        #[allow(unused_unsafe)]
        let __k = unsafe { $crate::__private::erase($v) };
        let __k = $crate::Mutator::__safepoint_keep(&mut *$m, __k);
        // SAFETY: the value was traced by whatever collection there was.
        #[allow(unused_unsafe)]
        unsafe {
            $crate::__private::rebind(&*$m, __k)
        }
    }};
    ($m:ident; $($v:ident),+ $(,)?) => {{
        $crate::__private::exact(&$m);
        // SAFETY: the next statement hands the values to the mutator they were borrowed from.
        #[allow(unused_unsafe)]
        let __k = unsafe { $crate::__private::erase(($($v,)+)) };
        let __k = $crate::Mutator::__safepoint_keep(&mut *$m, __k);
        // SAFETY: the values were traced by whatever collection there was.
        #[allow(unused_unsafe)]
        unsafe {
            $crate::__private::rebind(&*$m, __k)
        }
    }};
}

/// Runs an expression that may collect while the listed values are roots. Yields `(result, values)`, the values bound to
/// the new borrow of the mutator.
///
/// `let (r, (a, b)) = keep!(m; a, b => callee(m, 3));`
///
/// `let (r, k) = keep!(m; k = (f, arg) => callee(m, k));` where `k` is a [`Local`](crate::Local) in the expression:
/// readable, writable, and passable to the callee.
#[macro_export]
macro_rules! keep {
    ($m:ident; $l:ident = $v:expr => $body:expr) => {{
        let __v = $v;
        $crate::__private::exact(&$m);
        // SAFETY: the next statement hands the value to the mutator it was borrowed from.
        #[allow(unused_unsafe)]
        let __k = unsafe { $crate::__private::erase(__v) };
        let (__r, __k) = $crate::Mutator::__keep(&mut *$m, __k, |$m, $l| $body);
        // SAFETY: the value was traced by every collection there was.
        #[allow(unused_unsafe)]
        (__r, unsafe { $crate::__private::rebind(&*$m, __k) })
    }};
    ($m:ident; $v:ident => $body:expr) => {
        $crate::keep!($m; __unused = $v => { let _ = __unused; $body })
    };
    ($m:ident; $($v:ident),+ => $body:expr) => {
        $crate::keep!($m; __unused = ($($v,)+) => { let _ = __unused; $body })
    };
}

/// Makes `GcDyn<'gc, dyn Trait>` possible: `dyn_trait!(Shape<'gc>)` for `trait Shape<'gc>`, `dyn_trait!(Show)` for a trait
/// without a lifetime.
#[macro_export]
macro_rules! dyn_trait {
    ($t:ident<$l:lifetime>) => {
        // SAFETY: the lifetime is all that differs.
        unsafe impl<$l> $crate::__private::RebindDyn for dyn $t<$l> + $l {
            type At<'__a> = dyn $t<'__a> + '__a;
        }
        // SAFETY: the bound asks for the trait at every collector lifetime.
        unsafe impl<$l, T: $crate::Share + $t<$l> + $l> $crate::__private::UnsizeFrom<$l, T> for dyn $t<$l> + $l
        where
            for<'__a> <T as $crate::Rebind>::At<'__a>: $t<'__a>,
        {
            fn view(r: &$l T) -> &$l Self {
                r
            }
        }
    };
    ($t:ident) => {
        // SAFETY: the lifetime is all that differs.
        unsafe impl<'__x> $crate::__private::RebindDyn for dyn $t + '__x {
            type At<'__a> = dyn $t + '__a;
        }
        // SAFETY: the bound asks for the trait at every collector lifetime.
        unsafe impl<'__x, T: $crate::Share + $t + '__x> $crate::__private::UnsizeFrom<'__x, T> for dyn $t + '__x
        where
            for<'__a> <T as $crate::Rebind>::At<'__a>: $t,
        {
            fn view(r: &'__x T) -> &'__x Self {
                r
            }
        }
    };
}
