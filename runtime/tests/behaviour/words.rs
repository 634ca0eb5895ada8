//! Words of the embedder's own design: NaN boxes, low tags, symbols.
use crate::common::{Node, Rng, Value, age, heap, moving_heap, node};
use orinoco::{Cx, Field, Gc, Packed, Slot, SmallInt, Trace, Word, safepoint};

/// A symbol: an index into the embedder's own table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Trace, Word)]
struct Symbol(u32);

/// A dynamically typed value with small integers inline.
#[derive(Clone, Copy, Trace, Word)]
#[word(low_tag)]
enum Tagged<'gc> {
    Int(SmallInt),
    Node(Gc<'gc, Node<'gc>>),
    Nil,
    Bool(bool),
    Sym(Symbol),
    Str(Gc<'gc, str>),
    Char(char),
    Half(f32),
}

/// A struct with a name for its one field, which is a reference.
#[derive(Clone, Copy, Trace, Word)]
struct Handle<'gc> {
    node: Gc<'gc, Node<'gc>>,
}

#[derive(Clone, Copy, Trace, Word)]
#[word(nan_box)]
enum Boxed<'gc> {
    Handle(Handle<'gc>),
    Sym(Symbol),
    Byte(u8),
}

#[derive(Clone, Copy, Trace, Word, PartialEq, Debug)]
enum Plain {
    A(u8),
    B(i16),
    C,
}

#[derive(Clone, Copy, Trace, Word)]
enum OnlyPointers<'gc> {
    A(Gc<'gc, Node<'gc>>),
    B(Gc<'gc, Node<'gc>>),
    C(Gc<'gc, Node<'gc>>),
    D(Gc<'gc, Node<'gc>>),
    E(Gc<'gc, Node<'gc>>),
    F(Gc<'gc, Node<'gc>>),
    G(Gc<'gc, Node<'gc>>),
    H(Gc<'gc, Node<'gc>>),
}

#[derive(Clone, Copy, Trace, Word)]
enum EightAndADouble<'gc> {
    Num(f64),
    A(Gc<'gc, Node<'gc>>),
    B(Gc<'gc, Node<'gc>>),
    C(i32),
    D(Gc<'gc, Node<'gc>>),
    E,
    F(Gc<'gc, Node<'gc>>),
    G(Gc<'gc, Node<'gc>>),
    H(Gc<'gc, Node<'gc>>),
}

#[test]
fn a_nan_box_gives_back_what_was_put_in() {
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let (n, s) = (node(cx, 77), cx.alloc_str("s"));
        let values = [
            Value::Num(1.5),
            Value::Num(f64::NEG_INFINITY),
            Value::Nil,
            Value::Bool(true),
            Value::Int(-5),
            Value::Char('€'),
            Value::Node(n),
            Value::Str(s),
        ];
        let array = cx.alloc_slice(values.len(), |i| Slot::new(values[i]));
        let array = safepoint!(m; array);
        let array = safepoint!(m; array);
        let [a, b, c, d, e, f, g, h] = std::array::from_fn(|i| array[i].get());
        assert!(matches!(a, Value::Num(x) if x == 1.5) && matches!(b, Value::Num(x) if x == f64::NEG_INFINITY));
        assert!(matches!(c, Value::Nil) && matches!(d, Value::Bool(true)));
        assert!(matches!(e, Value::Int(-5)) && matches!(f, Value::Char('€')));
        assert!(matches!(g, Value::Node(n) if n.v == 77) && matches!(h, Value::Str(s) if &*s == "s"));
    });
}

#[test]
fn no_double_passes_for_a_reference() {
    moving_heap().enter((), |m| {
        let mut rng = Rng::from_env("no_double_passes_for_a_reference");
        for _ in 0..200 {
            let high = [0xFFF8, 0xFFF9, 0xFFFB, 0xFFFD, 0xFFFE, 0xFFFF, 0x7FF8, 0x7FF0, 0x0000][rng.below(9)] << 48;
            let bits = high | rng.next() >> 16;
            let x = f64::from_bits(bits);
            let slot = m.alloc(Slot::new(Value::Num(x)));
            let slot = safepoint!(m; slot);
            match slot.get() {
                Value::Num(y) => assert!(y.to_bits() == bits || (x.is_nan() && y.is_nan())),
                _ => panic!("{bits:#x} came back as something else"),
            }
        }
    });
}

#[test]
fn a_low_tag_gives_back_what_was_put_in() {
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let values = [
            Tagged::Int(SmallInt::MIN),
            Tagged::Int(SmallInt::MAX),
            Tagged::Int(SmallInt::from(-1)),
            Tagged::Node(node(cx, 3)),
            Tagged::Nil,
            Tagged::Bool(false),
            Tagged::Sym(Symbol(u32::MAX)),
            Tagged::Str(cx.alloc_str("low")),
            Tagged::Char(char::MAX),
            Tagged::Half(-0.5),
        ];
        let array = cx.alloc_slice(values.len(), |i| Slot::new(values[i]));
        let array = safepoint!(m; array);
        let array = safepoint!(m; array);
        let [a, b, c, d, e, f, g, h, i, j] = std::array::from_fn(|i| array[i].get());
        assert!(matches!(a, Tagged::Int(SmallInt::MIN)) && matches!(b, Tagged::Int(SmallInt::MAX)));
        assert!(matches!(c, Tagged::Int(n) if n.get() == -1) && matches!(d, Tagged::Node(n) if n.v == 3));
        assert!(matches!(e, Tagged::Nil) && matches!(f, Tagged::Bool(false)));
        assert!(matches!(g, Tagged::Sym(Symbol(u32::MAX))) && matches!(h, Tagged::Str(s) if &*s == "low"));
        assert!(matches!(i, Tagged::Char(char::MAX)) && matches!(j, Tagged::Half(x) if x == -0.5));
    });
}

#[test]
fn small_integers_of_any_bits_never_look_like_references() {
    moving_heap().enter((), |m| {
        let mut rng = Rng::from_env("small_integers_of_any_bits_never_look_like_references");
        for _ in 0..200 {
            let n = SmallInt::wrapping(rng.next() as i64);
            let slot = m.alloc(Slot::new(Tagged::Int(n)));
            let slot = safepoint!(m; slot);
            assert!(matches!(slot.get(), Tagged::Int(back) if back == n));
        }
    });
}

#[test]
fn a_struct_of_one_field_is_a_word_wherever_its_field_is() {
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let direct = cx.alloc((Slot::new(Handle { node: node(cx, 1) }), Slot::new(Symbol(2))));
        let boxed = [Boxed::Handle(Handle { node: node(cx, 3) }), Boxed::Sym(Symbol(4)), Boxed::Byte(5)];
        let boxed = cx.alloc(boxed.map(Slot::new));
        let (direct, boxed) = safepoint!(m; direct, boxed);
        assert_eq!((direct.0.get().node.v, direct.1.get()), (1, Symbol(2)));
        assert!(matches!(boxed[0].get(), Boxed::Handle(h) if h.node.v == 3));
        assert!(matches!(boxed[1].get(), Boxed::Sym(Symbol(4))) && matches!(boxed[2].get(), Boxed::Byte(5)));
    });
}

#[test]
fn a_word_without_references_is_a_leaf() {
    const {
        assert!(!Plain::MAY_POINT && !<Slot<Plain>>::HAS_EDGES);
        assert!(Tagged::MAY_POINT && Handle::MAY_POINT && !Symbol::MAY_POINT);
    }
    moving_heap().enter((), |m| {
        let slots = m.alloc([Plain::A(255), Plain::B(-1), Plain::C].map(Slot::new));
        let slots = safepoint!(m; slots);
        assert_eq!([0, 1, 2].map(|i| slots[i].get()), [Plain::A(255), Plain::B(-1), Plain::C]);
    });
}

#[test]
fn eight_kinds_of_reference_are_told_apart() {
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        use OnlyPointers::*;
        let n = |v| node(cx, v);
        let all = [A(n(0)), B(n(1)), C(n(2)), D(n(3)), E(n(4)), F(n(5)), G(n(6)), H(n(7))];
        let slots = cx.alloc(all.map(Slot::new));
        let slots = safepoint!(m; slots);
        let slots = safepoint!(m; slots);
        let found = slots.each_ref().map(|slot| match slot.get() {
            A(n) => (0, n.v),
            B(n) => (1, n.v),
            C(n) => (2, n.v),
            D(n) => (3, n.v),
            E(n) => (4, n.v),
            F(n) => (5, n.v),
            G(n) => (6, n.v),
            H(n) => (7, n.v),
        });
        assert_eq!(found, [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7)]);
    });
}

#[test]
fn eight_kinds_fit_beside_the_doubles() {
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        use EightAndADouble::*;
        let n = |v| node(cx, v);
        let all = [Num(0.5), A(n(1)), B(n(2)), C(i32::MIN), D(n(4)), E, F(n(6)), G(n(7)), H(n(8))];
        let slots = cx.alloc(all.map(Slot::new));
        let slots = safepoint!(m; slots);
        let found = slots.each_ref().map(|slot| match slot.get() {
            Num(x) => x,
            C(i) => f64::from(i),
            E => 5.0,
            A(n) | B(n) | D(n) | F(n) | G(n) | H(n) => n.v as f64,
        });
        assert_eq!(found, [0.5, 1.0, 2.0, f64::from(i32::MIN), 4.0, 5.0, 6.0, 7.0, 8.0]);
    });
}

#[test]
fn young_objects_stored_as_tagged_words_into_old_slots_survive() {
    #[derive(Trace)]
    struct Cells<'gc> {
        boxed: Slot<Value<'gc>>,
        tagged: Slot<Tagged<'gc>>,
        packed: Slot<Packed<Tagged<'gc>>>,
        handle: Slot<Handle<'gc>>,
    }
    heap().enter((), |m| {
        let root = {
            let cx: &Cx = m;
            let handle = Slot::new(Handle { node: node(cx, 0) });
            let nil = || Slot::new(Tagged::Nil);
            cx.root(cx.alloc(Cells {
                boxed: Slot::new(Value::Nil),
                tagged: nil(),
                packed: Slot::new(Tagged::Nil.into()),
                handle,
            }))
        };
        age(m);
        for i in 0..10 {
            {
                let cx: &Cx = m;
                let cells = root.get(cx);
                cells.boxed.set(cx, Value::Node(node(cx, i)));
                cells.tagged.set(cx, Tagged::Node(node(cx, i + 1)));
                cells.packed.set(cx, Tagged::Node(node(cx, i + 2)).into());
                cells.handle.set(cx, Handle { node: node(cx, i + 3) });
            }
            crate::common::litter(m, 2 << 20);
            m.collect_young();
            let cells = root.get(m);
            let (Value::Node(a), Tagged::Node(b), Tagged::Node(c)) =
                (cells.boxed.get(), cells.tagged.get(), cells.packed.get().get())
            else {
                panic!("a value changed its kind");
            };
            assert_eq!([a.v, b.v, c.v, cells.handle.get().node.v], [i, i + 1, i + 2, i + 3]);
        }
    });
}

#[test]
fn a_stack_of_packed_values_is_eight_bytes_a_value() {
    const { assert!(size_of::<Packed<Value<'static>>>() == 8 && size_of::<Slot<Tagged<'static>>>() == 8) }
    #[derive(Trace, Default)]
    #[trace(root)]
    struct Stack<'gc>(Vec<Packed<Value<'gc>>>);
    moving_heap().enter(Stack::default(), |m| {
        for i in 0..50 {
            let (cx, stack) = m.split();
            let field: Field<'_, Node<'_>> = Field::new(None);
            stack.0.push(Value::Node(cx.alloc(Node { next: field, v: i })).into());
            stack.0.push(Value::Num(i as f64).into());
            m.safepoint();
        }
        let (_, stack) = m.split();
        for (pair, i) in stack.0.chunks(2).zip(0..) {
            assert!(matches!(pair[0].get(), Value::Node(n) if n.v == i));
            assert!(matches!(pair[1].get(), Value::Num(x) if x == i as f64));
        }
    });
}

#[test]
fn comparing_and_exchanging_tagged_words_goes_by_identity() {
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let (a, b) = (node(cx, 1), node(cx, 1));
        let slot = cx.alloc(Slot::new(Tagged::Node(a)));
        assert!(slot.compare_exchange(cx, Tagged::Node(b), Tagged::Nil).is_err(), "equal, but another object");
        assert!(slot.compare_exchange(cx, Tagged::Node(a), Tagged::Int(5.into())).is_ok());
        assert!(slot.compare_exchange(cx, Tagged::Int(5.into()), Tagged::Nil).is_ok());
    });
}
