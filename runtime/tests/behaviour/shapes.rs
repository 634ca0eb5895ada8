//! What `derive(Trace)` accepts: every shape of type, and each field found.
use crate::common::{Noisy, moving_heap, node, values};
use orinoco::{Cx, Field, Gc, Lock, Slot, Trace, safepoint};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

type Node<'gc> = crate::common::Node<'gc>;

#[test]
fn an_enum_shows_the_fields_of_the_variant_it_is() {
    #[derive(Trace)]
    enum Expr<'gc> {
        Num(f64),
        Add {
            l: Gc<'gc, Expr<'gc>>,
            r: Gc<'gc, Expr<'gc>>,
        },
        Neg(Gc<'gc, Self>),
        #[allow(dead_code)]
        Hole,
    }
    fn eval(e: &Expr<'_>) -> f64 {
        match e {
            Expr::Num(x) => *x,
            Expr::Add { l, r } => eval(l) + eval(r),
            Expr::Neg(x) => -eval(x),
            Expr::Hole => f64::NAN,
        }
    }
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let two = cx.alloc(Expr::Num(2.));
        let five = cx.alloc(Expr::Neg(cx.alloc(Expr::Num(5.))));
        let sum = cx.alloc(Expr::Add { l: two, r: five });
        let sum = safepoint!(m; sum);
        let sum = safepoint!(m; sum);
        assert_eq!(eval(&sum), -3.);
    });
}

#[test]
fn type_parameters_stand_for_heap_types() {
    #[derive(Trace)]
    struct Pair<A, B> {
        a: A,
        b: B,
    }
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let inner = cx.alloc(Pair { a: node(cx, 1), b: 7u8 });
        let outer = cx.alloc(Pair { a: inner, b: Slot::new(Some(node(cx, 2))) });
        let outer = safepoint!(m; outer);
        assert_eq!((outer.a.a.v, outer.a.b, outer.b.get().unwrap().v), (1, 7, 2));
    });
}

#[test]
fn a_bounded_parameter_keeps_its_bound_at_every_lifetime() {
    trait Weigh {
        fn weight(&self) -> u64;
    }
    impl Weigh for Gc<'_, Node<'_>> {
        fn weight(&self) -> u64 {
            self.v
        }
    }
    #[derive(Trace)]
    struct Scale<'gc, T: Weigh + Copy, const N: usize>
    where
        T: 'gc,
        Option<T>: Clone,
    {
        loads: [T; N],
        other: Option<Gc<'gc, Scale<'gc, T, N>>>,
    }
    impl<T: Weigh + Copy, const N: usize> Scale<'_, T, N> {
        fn total(&self) -> u64 {
            self.loads.iter().map(Weigh::weight).sum()
        }
    }
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let first = cx.alloc(Scale { loads: [node(cx, 1), node(cx, 2), node(cx, 3)], other: None });
        let second = cx.alloc(Scale { loads: [node(cx, 4), node(cx, 5), node(cx, 6)], other: Some(first) });
        let second = safepoint!(m; second);
        assert_eq!((second.total(), second.other.unwrap().total()), (15, 6));
    });
}

#[test]
fn a_skipped_parameter_may_be_any_static_type_a_closure_for_example() {
    #[derive(Trace)]
    struct Native<'gc, #[trace(skip)] F: Fn(u64) -> u64> {
        #[trace(skip)]
        code: F,
        argument: Gc<'gc, Node<'gc>>,
    }
    moving_heap().enter((), |m| {
        let offset = Arc::new(100);
        let native = m.alloc(Native { code: move |x| x + *offset, argument: node(m, 5) });
        let native = safepoint!(m; native);
        assert_eq!((native.code)(native.argument.v), 105);
    });
}

#[test]
fn self_may_be_written_in_field_types() {
    #[derive(Trace)]
    struct Chain<'gc> {
        next: Field<'gc, Self>,
        last: Option<Gc<'gc, Self>>,
        v: u64,
    }
    #[derive(Trace)]
    struct Nest<'gc> {
        kids: Vec<Self>,
        boxed: Option<Box<Self>>,
        n: Option<Gc<'gc, Node<'gc>>>,
    }
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let leaf = |v| Nest { kids: vec![], boxed: None, n: Some(node(cx, v)) };
        let nest = cx.alloc(Nest { kids: vec![leaf(1), leaf(2)], boxed: Some(Box::new(leaf(3))), n: None });
        let nest = safepoint!(m; nest);
        let of = |n: &Nest<'_>| n.n.map_or(0, |n| n.v);
        assert_eq!((nest.kids.iter().map(of).sum::<u64>(), of(nest.boxed.as_ref().unwrap()), of(&nest)), (3, 3, 0));

        let end = m.alloc(Chain { next: Field::null(), last: None, v: 1 });
        let chain = m.alloc(Chain { next: Field::new(Some(end)), last: Some(end), v: 2 });
        let chain = safepoint!(m; chain);
        let (next, last) = (chain.next.get().unwrap(), chain.last.unwrap());
        assert!(Gc::ptr_eq(next, last) && next.v == 1 && chain.v == 2);
    });
}

#[test]
fn types_without_fields_cost_a_header_and_are_themselves() {
    #[derive(Trace)]
    struct Unit;
    #[derive(Trace)]
    struct Empty {}
    #[derive(Trace, Debug, PartialEq, Clone, Copy)]
    enum Kind {
        A = 7,
        B = 3,
    }
    moving_heap().enter((), |m| {
        for _ in 0..200 {
            let (u, e) = (m.alloc(Unit), m.alloc(Empty {}));
            let (u, e) = safepoint!(m; u, e);
            let (Unit, Empty {}) = (&*u, &*e);
        }
        let kinds = m.alloc_slice(2, |i| [Kind::A, Kind::B][i]);
        let kinds = safepoint!(m; kinds);
        assert_eq!(*kinds, [Kind::A, Kind::B]);
    });
}

#[test]
fn raw_identifiers_odd_names_and_constants_in_scope_do_not_disturb_the_derive() {
    #[allow(non_upper_case_globals, dead_code)]
    mod odd {
        pub const x: u32 = 0;
        pub const word: u32 = 0;
    }
    #[allow(unused_imports)]
    use odd::*;
    #[derive(Trace)]
    struct r#Type<'r#gc> {
        r#match: Field<'r#gc, Node<'r#gc>>,
        visitor: u32,
    }
    #[derive(Clone, Copy, Trace, orinoco::Word)]
    enum V<'gc> {
        r#Fn(Gc<'gc, Node<'gc>>),
        Other(u32),
    }
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let t = cx.alloc(r#Type { r#match: Field::new(Some(node(cx, 4))), visitor: 9 });
        let v = cx.alloc([Slot::new(V::r#Fn(node(cx, 5))), Slot::new(V::Other(6))]);
        let (t, v) = safepoint!(m; t, v);
        assert_eq!((t.r#match.get().unwrap().v, t.visitor), (4, 9));
        assert!(matches!(v[0].get(), V::r#Fn(n) if n.v == 5) && matches!(v[1].get(), V::Other(6)));
    });
}

#[test]
fn values_nest_by_value_as_deep_as_they_like() {
    #[derive(Trace)]
    struct Inner<'gc>(Field<'gc, Node<'gc>>, #[trace(skip)] Noisy, [Option<(u8, Gc<'gc, Node<'gc>>)>; 2]);
    #[derive(Trace)]
    struct Middle<'gc> {
        inner: Option<Inner<'gc>>,
        lock: Lock<Vec<(u32, Option<Gc<'gc, Node<'gc>>>)>>,
    }
    #[derive(Trace)]
    struct Outer<'gc> {
        middles: [Middle<'gc>; 2],
    }
    let drops = Arc::new(AtomicU64::new(0));
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let middle = |v| Middle {
            inner: Some(Inner(Field::new(Some(node(cx, v))), Noisy::new(&drops), [None, Some((1, node(cx, v + 1)))])),
            lock: Lock::new(vec![(0, Some(node(cx, v + 2))), (1, None)]),
        };
        let outer = cx.alloc(Outer { middles: [middle(10), middle(20)] });
        let outer = safepoint!(m; outer);
        for (middle, v) in outer.middles.iter().zip([10, 20]) {
            let Inner(field, noisy, pair) = middle.inner.as_ref().unwrap();
            assert_eq!(values(field.get()), [v]);
            assert!(noisy.is_whole());
            assert_eq!(pair[1].unwrap().1.v, v + 1);
            assert_eq!(middle.lock.lock(m)[0].1.unwrap().v, v + 2);
        }
        m.collect();
        assert_eq!(drops.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn types_and_fields_keep_their_names_for_reports() {
    #[derive(Trace)]
    #[allow(dead_code)]
    enum Shape<'gc> {
        Dot,
        Line {
            from: Gc<'gc, Node<'gc>>,
            r#to: Gc<'gc, Node<'gc>>,
            #[trace(skip)]
            width: u32,
        },
        Pair(u32, Gc<'gc, Node<'gc>>),
    }
    assert_eq!(<Shape<'_> as Trace>::FIELD_NAMES, [("Dot", &[][..]), ("Line", &["from", "to"]), ("Pair", &["0", "1"])]);
    assert_eq!(<Node<'_> as Trace>::FIELD_NAMES, [("Node", &["next", "v"][..])]);
    moving_heap().enter((), |m| {
        let name = Gc::erase(node(m, 1)).type_name();
        assert!(name.contains("Node"), "{name}");
    });
}

#[test]
fn leaves_say_so_and_are_never_scanned() {
    #[derive(Trace)]
    struct Leaf {
        _a: u64,
        _b: Option<[f64; 3]>,
        _c: String,
        #[trace(skip)]
        _d: Arc<str>,
    }
    const {
        assert!(!Leaf::HAS_EDGES && !Leaf::HAS_SLOT);
        assert!(Node::HAS_EDGES && Node::HAS_SLOT);
        assert!(<Option<Gc<'static, str>>>::HAS_EDGES && !<Option<Gc<'static, str>>>::HAS_SLOT);
        assert!(!<Slot<u64>>::HAS_EDGES && !<Slot<u64>>::HAS_SLOT);
        assert!(!<Lock<Vec<u64>>>::HAS_SLOT || <Lock<Vec<u64>>>::HAS_EDGES);
        assert!(<Lock<Option<Gc<'static, str>>>>::HAS_SLOT, "a lock knows its host by its address, as a slot does");
    }
}
