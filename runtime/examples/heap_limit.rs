//! A hard limit: `try_alloc` fails, the error travels by `?` to the driver, which collects and tries once more, and then
//! raises the guest's own exception. The heap stays usable throughout.
#![forbid(unsafe_code)]
use orinoco::{AllocError, Bytes, Cx, Gc, Heap, HeapConfig, HeapError, Mutator, Trace};

#[derive(Trace)]
struct Node<'gc> {
    next: Option<Gc<'gc, Node<'gc>>>,
    _content: [u64; 6],
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Done,
    OutOfMemory { step: usize },
}

type Roots = Option<Gc<'static, Node<'static>>>;

/// A runtime's primitive. It cannot collect, so it reports.
fn grow<'gc>(cx: &'gc Cx, list: &mut Option<Gc<'gc, Node<'gc>>>, n: usize) -> Result<(), AllocError> {
    for _ in 0..n {
        *list = Some(cx.try_alloc(Node { next: *list, _content: [0; 6] })?);
    }
    Ok(())
}

/// A runtime's driver.
fn run(m: &mut Mutator<Roots>, leak: bool) -> Outcome {
    for step in 0..3000 {
        if !leak {
            *m.split().1 = None;
        }
        let mut tried = false;
        loop {
            let (cx, list) = m.split();
            match grow(cx, list, 100) {
                Ok(()) => break,
                Err(_) if !tried => {
                    tried = true;
                    m.collect();
                }
                Err(_) => {
                    *m.split().1 = None; // the guest's exception unwinds the guest's frames
                    m.collect();
                    return Outcome::OutOfMemory { step };
                }
            }
        }
        m.safepoint();
    }
    Outcome::Done
}

fn main() -> Result<(), HeapError> {
    let heap = Heap::new(HeapConfig::new().limit(Bytes::mib(8)).nursery(Bytes::mib(1)))?;
    heap.enter(None, |m| {
        assert_eq!(run(m, false), Outcome::Done, "garbage fits for ever");
        let leaked = run(m, true);
        assert!(matches!(leaked, Outcome::OutOfMemory { step } if step > 5), "{leaked:?}");
        assert_eq!(run(m, false), Outcome::Done, "and the heap is usable again");
        println!("{leaked:?}, then recovered");
    });
    // The infallible form unwinds, and the heap survives that too.
    let unwound = std::panic::catch_unwind(|| {
        heap.enter(None::<Gc<'static, Node<'static>>>, |m| {
            loop {
                let (cx, list) = m.split();
                *list = Some(cx.alloc(Node { next: *list, _content: [0; 6] }));
            }
        })
    });
    assert!(unwound.is_err());
    heap.enter((), |m| {
        m.collect();
        m.alloc(1u64);
    });
    Ok(())
}
