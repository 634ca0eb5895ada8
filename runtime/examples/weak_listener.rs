//! Moving averages listen to a socket that outlives them, ten thousand of them, one after the other.
//!
//! The naive socket holds each listener, and so everything that was ever started: nobody unsubscribes. The careful one holds
//! a small wrapper that refers to the listener weakly, and a registry whose callback takes the wrapper away once the
//! listener has died: memory stays flat, though nobody unsubscribes there either.
//!
//! ```text
//!   naive     socket ──▶ listener ──▶ events                    MovingAvg ──▶ listener
//!   careful   socket ──▶ wrapper ┄┄▶ listener ──▶ events        MovingAvg ──▶ listener       ┄ weakly
//! ```
#![forbid(unsafe_code)]
use orinoco::{
    Budget, Bytes, Cx, FinalizationRegistry, Gc, Heap, HeapConfig, HeapError, Local, Lock, Mutator, Trace, Weak,
};

/// How a socket holds its listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// Strongly: what has listened once is never let go.
    Naive,
    /// Through a wrapper, weakly, with a registry to take the wrapper away.
    Careful,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Reachable objects at each tenth of the run, everything collected that can be.
    pub objects: Vec<usize>,
    /// Wrappers, or listeners, in the socket's list at the end.
    pub listed: usize,
    /// Wrappers that the registry's callback took away.
    pub removed: usize,
}

#[derive(Trace)]
struct Connection<'gc> {
    listeners: Lock<Vec<Entry<'gc>>>,
    /// Wrappers taken away so far.
    removed: Lock<usize>,
}

/// What a socket holds for each listener.
#[derive(Trace, Clone, Copy)]
enum Entry<'gc> {
    Strong(Gc<'gc, Listener<'gc>>),
    Weak(Gc<'gc, Wrapper<'gc>>),
}

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
    _listener: Gc<'gc, Listener<'gc>>,
    /// What a component has beside: it makes the loop collect.
    _scratch: Gc<'gc, [f64]>,
}

/// What the registry keeps until a listener has died. It cannot name the listener: nothing can be resurrected.
#[derive(Trace, Clone, Copy)]
struct Cleanup<'gc> {
    socket: Gc<'gc, Connection<'gc>>,
    wrapper: Gc<'gc, Wrapper<'gc>>,
}

type Registry<'gc> = FinalizationRegistry<Cleanup<'gc>>;

/// Called once for each listener that has died, between events.
fn take_away(m: &mut Mutator<()>, held: Local<'_, Cleanup<'static>>) {
    let cx: &Cx = m;
    let Cleanup { socket, wrapper } = held.get(cx);
    socket.listeners.lock(cx).retain(|entry| !matches!(entry, Entry::Weak(w) if Gc::ptr_eq(*w, wrapper)));
    *socket.removed.lock(cx) += 1;
}

impl<'gc> MovingAvg<'gc> {
    fn start(
        cx: &'gc Cx,
        kind: Socket,
        registry: Gc<'gc, Registry<'gc>>,
        socket: Gc<'gc, Connection<'gc>>,
    ) -> Gc<'gc, Self> {
        let events = cx.alloc(Lock::new(Vec::new()));
        let listener = cx.alloc(Listener { events });
        let entry = match kind {
            Socket::Naive => Entry::Strong(listener),
            Socket::Careful => {
                let wrapper = cx.alloc(Wrapper { listener: cx.weak(listener) });
                registry.register(cx, listener, Cleanup { socket, wrapper });
                Entry::Weak(wrapper)
            }
        };
        socket.listeners.lock(cx).push(entry);
        cx.alloc(MovingAvg { events, _listener: listener, _scratch: cx.alloc_slice(512, |_| 0.0) })
    }
    fn of_last(&self, cx: &Cx, n: usize) -> f64 {
        let events = self.events.lock(cx);
        let last = &events[events.len().saturating_sub(n)..];
        last.iter().sum::<f64>() / last.len() as f64
    }
}

/// A message arrives: everyone who listens and lives hears it.
fn message(cx: &Cx, socket: Gc<'_, Connection<'_>>, x: f64) {
    // Copied out: a listener does not run under the socket's lock.
    let listeners = socket.listeners.lock(cx).clone();
    for entry in listeners {
        let listener = match entry {
            Entry::Strong(listener) => Some(listener),
            Entry::Weak(wrapper) => wrapper.listener.upgrade(cx),
        };
        if let Some(listener) = listener {
            let mut events = listener.events.lock(cx);
            if events.len() == 8 {
                events.remove(0);
            }
            events.push(x);
        }
    }
}

/// Starts and stops so many components in an event loop, each for one message.
pub fn run(heap: &Heap, kind: Socket, components: u32) -> Outcome {
    heap.enter((), |m| {
        let (socket, registry) = {
            let cx: &Cx = m;
            let socket = cx.alloc(Connection { listeners: Lock::new(Vec::new()), removed: Lock::new(0) });
            (cx.root(socket), cx.root(Registry::with_callback(cx, take_away)))
        };
        let mut objects = Vec::new();
        for i in 1..=components {
            // An event: a component starts, hears a message, and is forgotten.
            let average = {
                let average = MovingAvg::start(m, kind, registry.get(m), socket.get(m));
                m.root(average)
            };
            message(m, socket.get(m), f64::from(i));
            assert_eq!(average.get(m).of_last(m, 4), f64::from(i));
            drop(average);
            // Between events: what was seen is kept no longer, a collection may happen, a few callbacks may run.
            m.end_turn();
            m.safepoint();
            m.run_finalizers(Budget::Calls(1000));
            if i % (components / 10) == 0 {
                m.collect();
                m.run_finalizers(Budget::Unlimited);
                m.collect();
                objects.push(m.verify().objects);
            }
        }
        let cx: &Cx = m;
        let socket = socket.get(cx);
        let (listed, removed) = (socket.listeners.lock(cx).len(), *socket.removed.lock(cx));
        Outcome { objects, listed, removed }
    })
}

#[allow(dead_code, reason = "a test runs the rest of this file")]
fn main() -> Result<(), HeapError> {
    for kind in [Socket::Naive, Socket::Careful] {
        let heap = Heap::new(HeapConfig::new().nursery(Bytes::mib(1)))?;
        let Outcome { objects, listed, removed } = run(&heap, kind, 10_000);
        let collections = heap.statistics().scavenges;
        println!(
            "{kind:?}: reachable objects {objects:?}; {listed} listed, {removed} removed; {collections} collections"
        );
    }
    Ok(())
}
