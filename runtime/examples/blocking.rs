//! A mutator that waits for the network parks: others collect meanwhile, and move what it roots.
#![forbid(unsafe_code)]
use orinoco::{Gc, Heap, HeapConfig, Trace};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

#[derive(Trace)]
struct Message<'gc> {
    text: Gc<'gc, str>,
    before: Option<Gc<'gc, Message<'gc>>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let heap = Heap::new(HeapConfig::new())?;
    let server = TcpListener::bind("127.0.0.1:0")?;
    let address = server.local_addr()?;
    let (about_to_block, blocked) = mpsc::channel();

    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reader = heap.attach(None::<Gc<'static, Message<'static>>>);
            reader.run(|m| {
                let (cx, last) = m.split();
                *last = Some(cx.alloc(Message { text: cx.alloc_str("first"), before: None }));
                // No reference can be live across this: `park` takes `&mut`. The roots are traced by whoever collects.
                let text = m.park(move || {
                    about_to_block.send(()).expect("the collecting thread waits for this");
                    let mut text = String::new();
                    server.accept()?.0.read_to_string(&mut text).map(|_| text)
                })?;
                let (cx, last) = m.split();
                let message = cx.alloc(Message { text: cx.alloc_str(&text), before: *last });
                *last = Some(message);
                let before = message.before.map(|b| b.text.to_string());
                Ok::<_, std::io::Error>((message.text.to_string(), before))
            })
        });
        heap.enter((), |m| {
            m.park(|| blocked.recv())?;
            for i in 0..100u64 {
                m.alloc(i);
                m.collect();
            }
            m.park(|| TcpStream::connect(address)?.write_all(b"hello"))?;
            let read = m.park(|| reader.join()).expect("the reader does not panic")?;
            assert_eq!(read, ("hello".to_owned(), Some("first".to_owned())));
            Ok::<_, Box<dyn Error>>(())
        })
    })?;
    println!("{} full collections while a mutator was blocked", heap.statistics().full_collections);
    Ok(())
}
