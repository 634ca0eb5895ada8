//! The story that weak references were made for: listeners on a socket that outlives them.
use super::*;

#[test]
fn the_moving_average_story_stays_flat() {
    #[derive(Trace)]
    struct Socket<'gc> {
        listeners: Lock<Vec<Gc<'gc, Wrapper<'gc>>>>,
    }
    #[derive(Trace)]
    struct Wrapper<'gc> {
        target: Weak<'gc, Listener<'gc>>,
    }
    #[derive(Trace)]
    struct Listener<'gc> {
        events: Gc<'gc, Lock<Vec<f64>>>,
    }
    #[derive(Trace)]
    struct MovingAvg<'gc> {
        events: Gc<'gc, Lock<Vec<f64>>>,
        _listener: Gc<'gc, Listener<'gc>>,
    }
    fn start<'gc>(
        cx: &'gc Cx,
        socket: Gc<'gc, Socket<'gc>>,
        registry: Gc<'gc, FinalizationRegistry<Gc<'gc, Wrapper<'gc>>>>,
    ) -> Gc<'gc, MovingAvg<'gc>> {
        let events = cx.alloc(Lock::new(vec![]));
        let listener = cx.alloc(Listener { events });
        let wrapper = cx.alloc(Wrapper { target: cx.weak(listener) });
        registry.register(cx, listener, wrapper);
        socket.listeners.lock(cx).push(wrapper);
        cx.alloc(MovingAvg { events, _listener: listener })
    }
    fn message(cx: &Cx, socket: Gc<'_, Socket<'_>>, x: f64) -> usize {
        let listeners = socket.listeners.lock(cx).clone();
        listeners.iter().filter_map(|w| w.target.peek(cx)).map(|l| l.events.lock(cx).push(x)).count()
    }
    heap().enter((), |m| {
        let (socket, registry) = {
            let cx: &Cx = m;
            let registry = FinalizationRegistry::<Gc<'_, Wrapper<'_>>>::new(cx);
            (cx.root(cx.alloc(Socket { listeners: Lock::new(vec![]) })), cx.root(registry))
        };
        let mut most = 0;
        for i in 0..10_000 {
            let component = {
                let component = start(m, socket.get(m), registry.get(m));
                m.root(component)
            };
            m.safepoint();
            assert!(message(m, socket.get(m), f64::from(i)) >= 1);
            assert_eq!(component.get(m).events.lock(m).as_slice(), [f64::from(i)]);
            drop(component);
            if i % 100 == 99 {
                m.collect();
                let cx: &Cx = m;
                while let Some(wrapper) = registry.get(cx).poll(cx) {
                    socket.get(cx).listeners.lock(cx).retain(|w| !Gc::ptr_eq(*w, wrapper));
                }
                most = most.max(socket.get(cx).listeners.lock(cx).len());
            }
        }
        assert_eq!(most, 0, "every wrapper was removed");
    });
}
