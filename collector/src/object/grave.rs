#![expect(unsafe_code, reason = "values whose types are forgotten are moved and dropped")]
//! A stack of dead values in one piece of memory: what a pause or a sweep moves out of the heap, to be dropped later.
//!
//! ```text
//!   ┌ value … │ words │ type ┐┌ value … │ words │ type ┐  room
//!     oldest                    newest                 ▲ read from here
//! ```
//!
//! The memory is taken whole and given back whole: a death costs a copy, and one in a thousand an allocation. A piece of
//! memory for each value would cost an allocation each, in a pause, and leave the allocator's pages in tatters.
//!
//! Z1  Below `used` there are whole values, each moved in once and not dropped since; it shrinks before glue runs.
//! Z2  A value's type can be moved, and dropped by any thread: the runtime admits no other types.
use crate::object::raw::{ObjectRef, info_of};
use crate::object::trace::TypeInfo;
use crate::units::WORD;
use std::mem::MaybeUninit;

/// Words of a grave, unless one value needs more: 64 KiB.
const ROOM: usize = 8 << 10;
/// Words for a value's descriptor and its size.
const STONE: usize = 2;

/// Dead values, newest on top.
#[derive(Default)]
pub(crate) struct Grave {
    words: Vec<MaybeUninit<usize>>,
}

/// A dead object whose value is still in the heap, and has drop glue.
pub(crate) struct Corpse {
    object: ObjectRef,
    info: &'static TypeInfo,
    words: usize,
}

impl Corpse {
    /// The object, if its type has drop glue. It is dead, and nobody looks at it again.
    pub(crate) fn of(object: ObjectRef) -> Option<Self> {
        let header = object.header_now();
        let info = info_of(header);
        info.drop?;
        Some(Self { object, info, words: object.bare_size_under(header) / WORD - 1 })
    }
}

impl Grave {
    /// A grave with room for this one, and others if there is room.
    pub(crate) fn around(corpse: &Corpse) -> Self {
        Self { words: Vec::with_capacity(ROOM.max(corpse.words + STONE)) }
    }
    /// Moves the value in; gives the corpse back if there is no room.
    pub(crate) fn receive(&mut self, corpse: Corpse) -> Result<(), Corpse> {
        let Corpse { object, info, words } = corpse;
        let at = self.words.len();
        if self.words.capacity() - at < words + STONE {
            return Err(corpse);
        }
        // SAFETY: O1 and O5; nobody refers to the object any more, so the value is ours to move (Z2), and there is room.
        unsafe {
            std::ptr::copy_nonoverlapping(object.payload().cast(), self.words.as_mut_ptr().add(at), words);
        }
        // SAFETY: within the capacity, and uninitialised words are words of this type.
        unsafe { self.words.set_len(at + words) }
        self.words.push(MaybeUninit::new(words));
        self.words.push(MaybeUninit::new(std::ptr::from_ref(info).expose_provenance()));
        Ok(())
    }
    /// Moves the topmost value to `other`, which is empty and becomes large enough.
    pub(crate) fn pass_one(&mut self, other: &mut Self) -> bool {
        let Some((words, _)) = self.stone() else { return false };
        let from = self.words.len() - STONE - words;
        other.words.clear();
        other.words.extend_from_slice(&self.words[from..]);
        self.words.truncate(from);
        true
    }
    /// Drops the topmost value, of which `measure` is told what it owns outside of the heap. Panics as its `Drop` does.
    pub(crate) fn drop_one(&mut self, measure: impl FnOnce(usize)) {
        let Some((words, info)) = self.stone() else { return };
        let at = self.words.len() - STONE - words;
        self.words.truncate(at); // Z1: from here on the value is nobody's but ours.
        let value = self.words.as_mut_ptr().wrapping_add(at).cast::<u8>();
        if let Some(owned) = info.owned {
            // SAFETY: Z1, a whole value of the type that the measure is for; its memory stays until the next is moved in.
            measure(unsafe { owned(value) });
        }
        if let Some(glue) = info.drop {
            // SAFETY: as above, and it is dropped once.
            unsafe { glue(value) }
        }
    }
    /// The topmost value's size in words, and its type.
    fn stone(&self) -> Option<(usize, &'static TypeInfo)> {
        let [.., words, info] = self.words[..] else { return None };
        // SAFETY: Z1, the two words on top of each value were written by `receive`.
        let (words, info) = unsafe { (words.assume_init(), info.assume_init()) };
        Some((words, info_of(info)))
    }
}
