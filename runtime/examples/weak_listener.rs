//! Moving averages listen to a socket that outlives them. The socket holds each listener weakly, through a wrapper, and a
//! registry takes the wrapper away once the listener has died: nothing leaks, though nobody ever unsubscribes.
#![forbid(unsafe_code)]
use orinoco::{Cx, FinalizationRegistry, Gc, Heap, HeapConfig, HeapError, Lock, Trace, Weak};

#[derive(Trace)]
struct Socket<'gc> {
    listeners: Lock<Vec<Gc<'gc, Wrapper<'gc>>>>,
}

/// All that the socket holds.
#[derive(Trace)]
struct Wrapper<'gc> {
    listener: Weak<'gc, Listener<'gc>>,
}

#[derive(Trace)]
struct Listener<'gc> {
    events: Gc<'gc, Lock<Vec<f64>>>,
}

#[derive(Trace)]
struct MovingAvg<'gc> {
    events: Gc<'gc, Lock<Vec<f64>>>,
    listener: Gc<'gc, Listener<'gc>>,
}

/// What the registry keeps until a listener has died. It cannot name the listener: nothing can be resurrected.
#[derive(Trace, Clone, Copy)]
struct Cleanup<'gc> {
    socket: Gc<'gc, Socket<'gc>>,
    wrapper: Gc<'gc, Wrapper<'gc>>,
}

type Registry<'gc> = FinalizationRegistry<Cleanup<'gc>>;

impl<'gc> MovingAvg<'gc> {
    fn start(cx: &'gc Cx, registry: Gc<'gc, Registry<'gc>>, socket: Gc<'gc, Socket<'gc>>) -> Gc<'gc, Self> {
        let events = cx.alloc(Lock::new(Vec::new()));
        let listener = cx.alloc(Listener { events });
        let wrapper = cx.alloc(Wrapper { listener: cx.weak(listener) });
        registry.register(cx, listener, Cleanup { socket, wrapper });
        socket.listeners.lock(cx).push(wrapper);
        cx.alloc(MovingAvg { events, listener })
    }
    fn of_last(&self, cx: &Cx, n: usize) -> f64 {
        let events = self.events.lock(cx);
        let last = &events[events.len().saturating_sub(n)..];
        last.iter().sum::<f64>() / last.len() as f64
    }
}

/// A message arrives; how many listeners heard it.
fn message(cx: &Cx, socket: Gc<'_, Socket<'_>>, x: f64) -> usize {
    // Copied out: a listener does not run under the socket's lock.
    let listeners = socket.listeners.lock(cx).clone();
    let alive = listeners.iter().filter_map(|wrapper| wrapper.listener.upgrade(cx));
    alive.map(|listener| listener.events.lock(cx).push(x)).count()
}

/// Takes away the wrappers of the dead, when the program likes: the collector never calls it.
fn clean_up<'gc>(cx: &'gc Cx, registry: Gc<'gc, Registry<'gc>>) -> usize {
    let dead = std::iter::from_fn(|| registry.poll(cx));
    dead.map(|c| c.socket.listeners.lock(cx).retain(|wrapper| !Gc::ptr_eq(*wrapper, c.wrapper))).count()
}

fn main() -> Result<(), HeapError> {
    let heap = Heap::new(HeapConfig::new())?;
    heap.enter((), |m| {
        let socket = m.root(m.alloc(Socket { listeners: Lock::new(Vec::new()) }));
        let registry = m.root(Registry::new(m));
        let average = m.root(MovingAvg::start(m, registry.get(m), socket.get(m)));
        for i in 0..10 {
            assert_eq!(message(m, socket.get(m), f64::from(i)), 1);
            m.collect();
        }
        assert_eq!(average.get(m).of_last(m, 4), (6. + 7. + 8. + 9.) / 4.);
        assert!(Gc::ptr_eq(average.get(m).listener.events, average.get(m).events));
        assert_eq!(clean_up(m, registry.get(m)), 0);

        drop(average); // the component goes away, and nobody unsubscribes
        m.collect();
        assert_eq!(message(m, socket.get(m), 1.), 0);
        assert_eq!(socket.get(m).listeners.lock(m).len(), 1, "the wrapper is still there");
        assert_eq!(clean_up(m, registry.get(m)), 1);
        assert_eq!(socket.get(m).listeners.lock(m).len(), 0);
    });
    println!("listener, events and wrapper are gone");
    Ok(())
}
