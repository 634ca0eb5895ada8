//! An interpreter: NaN-boxed values, environments, closures, objects with hash maps, re-entrant natives, guest faults; and
//! not a line of unsafe code. The inner loop is one window of bare words; only the driver around it reaches safepoints.
#![forbid(unsafe_code)]
use orinoco::{AllocError, Bytes, Cx, Gc, Heap, HeapConfig, HeapError, Lock, Mutator, Slot, Trace, Word, Zeal};
use std::collections::HashMap;
use std::sync::Arc;

type Symbol = u32;

#[derive(Clone, Copy, Trace, Word)]
enum Value<'gc> {
    Num(f64),
    Nil,
    Bool(bool),
    Str(Gc<'gc, str>),
    Obj(Gc<'gc, Object<'gc>>),
    Fun(Gc<'gc, Closure<'gc>>),
    Native(u32),
}

#[derive(Trace)]
struct Object<'gc> {
    properties: Lock<HashMap<Symbol, Value<'gc>>>,
}

#[derive(Trace)]
struct Env<'gc> {
    parent: Option<Gc<'gc, Env<'gc>>>,
    variables: Gc<'gc, [Slot<Value<'gc>>]>,
}

#[derive(Trace)]
struct Closure<'gc> {
    #[trace(skip)]
    code: Arc<Code>,
    env: Option<Gc<'gc, Env<'gc>>>,
}

struct Code {
    variables: usize,
    parameters: usize,
    ops: Vec<Op>,
    inner: Vec<Arc<Code>>,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Num(f64),
    Str(&'static str),
    Native(u32),
    /// Scopes up, index.
    Load(u16, usize),
    Store(u16, usize),
    Add,
    Less,
    Jump(usize),
    JumpIfNot(usize),
    Closure(usize),
    Call(usize),
    Return,
    NewObject,
    Get(Symbol),
    Set(Symbol),
    Pop,
}

#[derive(Trace)]
#[trace(root)]
struct Frame<'gc> {
    #[trace(skip)]
    code: Arc<Code>,
    pc: usize,
    env: Gc<'gc, Env<'gc>>,
}

/// The mutator's roots. In a window they are an ordinary `&mut Vm<'gc>`: no handles and no barriers.
#[derive(Trace, Default)]
#[trace(root)]
struct Vm<'gc> {
    stack: Vec<Value<'gc>>,
    frames: Vec<Frame<'gc>>,
}

type Machine = Mutator<Vm<'static>>;

/// Why a window ended.
enum Pause {
    Poll,
    Native { number: u32, arguments: usize },
    Done,
}

#[derive(Debug)]
enum Fault {
    Type(&'static str),
    OutOfMemory(AllocError),
}
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Type(what) => write!(f, "type error: {what}"),
            Self::OutOfMemory(error) => write!(f, "out of memory: {error}"),
        }
    }
}
impl From<AllocError> for Fault {
    fn from(error: AllocError) -> Self {
        Self::OutOfMemory(error)
    }
}

impl<'gc> Vm<'gc> {
    fn pop(&mut self) -> Result<Value<'gc>, Fault> {
        self.stack.pop().ok_or(Fault::Type("the stack is empty"))
    }
    fn enter(&mut self, cx: &'gc Cx, f: Gc<'gc, Closure<'gc>>, arguments: usize) -> Result<(), Fault> {
        let given = self.stack.split_off(self.stack.len() - arguments);
        let argument = |i| given.get(i).copied().filter(|_| i < f.code.parameters).unwrap_or(Value::Nil);
        let variables = cx.try_alloc_slice(f.code.variables, |i| Slot::new(argument(i)))?;
        let env = cx.try_alloc(Env { parent: f.env, variables })?;
        self.frames.push(Frame { code: f.code.clone(), pc: 0, env });
        Ok(())
    }
}

fn scope<'gc>(env: Gc<'gc, Env<'gc>>, up: u16) -> Result<Gc<'gc, Env<'gc>>, Fault> {
    (0..up).try_fold(env, |env, _| env.parent.ok_or(Fault::Type("no such scope")))
}

/// Runs until something needs a safepoint, or the frame at `floor` returns.
fn window<'gc>(cx: &'gc Cx, vm: &mut Vm<'gc>, floor: usize) -> Result<Pause, Fault> {
    loop {
        let frame = vm.frames.last_mut().ok_or(Fault::Type("no frame"))?;
        let op = frame.code.ops[frame.pc];
        frame.pc += 1;
        match op {
            Op::Num(x) => vm.stack.push(Value::Num(x)),
            Op::Str(s) => vm.stack.push(Value::Str(cx.try_alloc_str(s)?)),
            Op::Native(number) => vm.stack.push(Value::Native(number)),
            Op::Load(up, i) => {
                let value = scope(frame.env, up)?.variables[i].get();
                vm.stack.push(value);
            }
            Op::Store(up, i) => {
                let env = scope(frame.env, up)?;
                env.variables[i].set(cx, vm.pop()?);
            }
            Op::Add | Op::Less => {
                let (b, a) = (vm.pop()?, vm.pop()?);
                vm.stack.push(match (op, a, b) {
                    (Op::Add, Value::Num(a), Value::Num(b)) => Value::Num(a + b),
                    (Op::Less, Value::Num(a), Value::Num(b)) => Value::Bool(a < b),
                    (Op::Add, Value::Str(a), Value::Str(b)) => Value::Str(cx.try_alloc_str(&format!("{a}{b}"))?),
                    _ => return Err(Fault::Type("operands")),
                });
            }
            Op::Jump(to) => {
                let back = to < frame.pc;
                frame.pc = to;
                if back && cx.should_yield() {
                    return Ok(Pause::Poll);
                }
            }
            Op::JumpIfNot(to) => {
                if matches!(vm.pop()?, Value::Bool(false) | Value::Nil) {
                    vm.frames.last_mut().ok_or(Fault::Type("no frame"))?.pc = to;
                }
            }
            Op::Closure(i) => {
                let (code, env) = (frame.code.inner[i].clone(), Some(frame.env));
                vm.stack.push(Value::Fun(cx.try_alloc(Closure { code, env })?));
            }
            Op::Call(arguments) => match vm.stack.remove(vm.stack.len() - arguments - 1) {
                Value::Fun(f) => {
                    vm.enter(cx, f, arguments)?;
                    if cx.should_yield() {
                        return Ok(Pause::Poll);
                    }
                }
                Value::Native(number) => return Ok(Pause::Native { number, arguments }),
                _ => return Err(Fault::Type("what is called")),
            },
            Op::Return => {
                vm.frames.pop();
                if vm.frames.len() == floor {
                    return Ok(Pause::Done);
                }
            }
            Op::NewObject => {
                vm.stack.push(Value::Obj(cx.try_alloc(Object { properties: Lock::new(HashMap::new()) })?));
            }
            Op::Get(name) => {
                let Value::Obj(object) = vm.pop()? else { return Err(Fault::Type("what is read")) };
                let value = object.properties.lock(cx).get(&name).copied().unwrap_or(Value::Nil);
                vm.stack.push(value);
            }
            Op::Set(name) => {
                let value = vm.pop()?;
                let Value::Obj(object) = vm.pop()? else { return Err(Fault::Type("what is written")) };
                object.properties.lock(cx).insert(name, value);
            }
            Op::Pop => _ = vm.pop()?,
        }
    }
}

/// The driver. Natives call it again.
fn run(m: &mut Machine) -> Result<(), Fault> {
    let floor = m.split().1.frames.len() - 1;
    loop {
        let (cx, vm) = m.split();
        match window(cx, vm, floor)? {
            Pause::Poll => m.safepoint(),
            Pause::Native { number: 7, arguments: 1 } => twice(m)?,
            Pause::Native { .. } => return Err(Fault::Type("no such native")),
            Pause::Done => return Ok(()),
        }
    }
}

/// `twice(f)`, a native that calls the guest. What must survive the calls stays on the guest's stack.
fn twice(m: &mut Machine) -> Result<(), Fault> {
    for _ in 0..2 {
        let (cx, vm) = m.split();
        let Some(&Value::Fun(f)) = vm.stack.last() else { return Err(Fault::Type("what is called twice")) };
        vm.enter(cx, f, 0)?;
        run(m)?; // collections happen in here
        m.split().1.pop()?;
    }
    let vm = m.split().1;
    vm.pop()?;
    vm.stack.push(Value::Nil);
    Ok(())
}

/// `n = 0; o = {}; for i in 0..k { c(); twice(c); s = "x" + "y" } return o.7, s` where
/// `c = fn() { n = n + 1; o.7 = n; return n }`.
fn program(k: f64) -> Arc<Code> {
    use Op::{
        Add, Call, Closure, Get, Jump, JumpIfNot, Less, Load, Native, NewObject, Num, Pop, Return, Set, Store, Str,
    };
    let counter = vec![Load(1, 0), Num(1.), Add, Store(1, 0), Load(1, 1), Load(1, 0), Set(7), Load(1, 0), Return];
    let counter = Arc::new(Code { variables: 0, parameters: 0, ops: counter, inner: Vec::new() });
    #[rustfmt::skip]
    let ops = vec![
        Num(0.), Store(0, 0), NewObject, Store(0, 1), Closure(0), Store(0, 2), Num(0.), Store(0, 3),
        /* 8 */ Load(0, 3), Num(k), Less, JumpIfNot(27),
        Load(0, 2), Call(0), Pop, Native(7), Load(0, 2), Call(1), Pop,
        Str("x"), Str("y"), Add, Store(0, 4),
        Load(0, 3), Num(1.), Add, Jump(30),
        /* 27 */ Load(0, 1), Get(7), Jump(32),
        /* 30 */ Store(0, 3), Jump(8),
        /* 32 */ Load(0, 4), Return,
    ];
    Arc::new(Code { variables: 5, parameters: 0, ops, inner: vec![counter] })
}

fn main() -> Result<(), HeapError> {
    for (zeal, k) in [(Zeal::OFF, 20_000.), (Zeal::EVERYTHING, 200.)] {
        let heap = Heap::new(HeapConfig::new().nursery(Bytes::kib(256)).zeal(zeal))?;
        let code = program(k);
        let (n, s) = heap.enter(Vm::default(), |m| {
            let (cx, vm) = m.split();
            let entered = vm.enter(cx, cx.alloc(Closure { code, env: None }), 0);
            entered.and_then(|()| run(m)).unwrap_or_else(|fault| panic!("{fault}"));
            match *m.split().1.stack {
                [Value::Num(n), Value::Str(s)] => (n, s.to_string()),
                _ => panic!("the program leaves a number and a string"),
            }
        });
        assert_eq!((n, s.as_str()), (3. * k, "xy"));
        println!(
            "{n} calls, {s:?}; {} scavenges, {} evacuations",
            heap.statistics().scavenges,
            heap.statistics().evacuations
        );
    }
    Ok(())
}
