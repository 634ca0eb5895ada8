//! Tasks: a mutator between awaits, on whichever thread polls.
use crate::common::{Node, heap, node};
use orinoco::{Attached, Gc, Root};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

type One = Option<Gc<'static, Node<'static>>>;

/// Gives way once.
async fn give_way() {
    let mut first = true;
    std::future::poll_fn(|_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
}

async fn task(mut a: Attached<One>, steps: u64) -> u64 {
    for i in 0..steps {
        a.run(|m| {
            let (cx, root) = m.split();
            let n = node(cx, i);
            n.next.set(cx, *root);
            *root = Some(n);
        });
        give_way().await;
        a.run(|m| m.safepoint());
    }
    a.run(|m| crate::common::values(*m.split().1).iter().sum())
}

async fn task_with_roots(heap: orinoco::Heap, steps: u64) -> u64 {
    let mut kept: Vec<Root<Node<'static>>> = Vec::new();
    for i in 0..steps {
        kept.push(heap.enter((), |m| crate::common::root_node(m, i)));
        give_way().await;
    }
    heap.enter((), |m| kept.iter().map(|r| r.get(m).v).sum())
}

#[test]
fn a_task_keeps_an_attached_mutator_between_its_awaits_on_any_thread() {
    fn assert_send<T: Send>(t: T) -> T {
        t
    }
    let heap = heap();
    let mut task = Box::pin(assert_send(task(heap.attach(None), 10)));
    let sum = loop {
        // Each poll on a thread of its own.
        let (polled, back) = std::thread::scope(|s| {
            let poll = move || (task.as_mut().poll(&mut Context::from_waker(Waker::noop())), task);
            s.spawn(poll).join().unwrap()
        });
        task = back;
        heap.enter((), |m| m.collect());
        if let Poll::Ready(sum) = polled {
            break sum;
        }
    };
    assert_eq!(sum, 45);
}

#[test]
fn many_tasks_take_turns_on_one_thread() {
    let heap = heap();
    let mut tasks: Vec<_> = (0..20).map(|_| Box::pin(task(heap.attach(None), 10))).collect();
    let mut done = 0;
    while !tasks.is_empty() {
        tasks.retain_mut(|task| match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(sum) => {
                assert_eq!(sum, 45);
                done += 1;
                false
            }
            Poll::Pending => true,
        });
        heap.enter((), |m| m.collect_young());
    }
    assert_eq!((done, heap.mutators()), (20, 0));
}

#[test]
fn a_task_may_hold_roots_only() {
    let heap = heap();
    let mut task = pin!(task_with_roots(heap.clone(), 10));
    let sum = loop {
        if let Poll::Ready(sum) = task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            break sum;
        }
        heap.enter((), |m| m.collect());
    };
    assert_eq!(sum, 45);
}
