//! Every state that can be reached, in the order of the steps that it takes.

use crate::laws::{broken, is_the_good_end};
use crate::steps::{next, repeated};
use crate::world::{Model, World};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// What came of it.
pub(crate) enum Explored {
    /// The laws hold in so many states, and the good end can be reached from each.
    Holds(usize),
    /// A law that does not hold, and the shortest walk there.
    Broken { law: String, walk: Vec<String> },
    /// There are more states than were asked for.
    TooMany,
}

/// One state, as far as it is kept: whence it was reached first, by which step, and which states lead to it.
struct Known {
    from: usize,
    step: usize,
    before: Vec<u32>,
}

struct Explorer {
    ids: HashMap<u128, usize>,
    /// The words for steps, each once.
    steps: HashMap<String, usize>,
    known: Vec<Known>,
    ends: Vec<usize>,
}

pub(crate) fn explore(model: &Model, most: usize) -> Explored {
    let mut explorer = Explorer { ids: HashMap::new(), steps: HashMap::new(), known: Vec::new(), ends: Vec::new() };
    let start = model.start();
    let mut ahead = VecDeque::from([(0, start.clone())]);
    explorer.meet(&start, 0, String::new());
    while let Some((id, world)) = ahead.pop_front() {
        let steps = next(model, &world).into_iter().chain(repeated(model, &world));
        for (step, after) in steps {
            let law = broken(model, Some(&world), &after);
            let (to, new) = explorer.meet(&after, id, step);
            if let Some(law) = law {
                return Explored::Broken { law, walk: explorer.walk(to) };
            }
            explorer.known[to].before.push(id as u32);
            if new {
                ahead.push_back((to, after));
            }
        }
        if explorer.known.len() > most {
            return Explored::TooMany;
        }
    }
    explorer.judge()
}

impl Explorer {
    /// The number of a state, and whether it is new.
    fn meet(&mut self, world: &World, from: usize, step: String) -> (usize, bool) {
        let key = digest(&world.key());
        if let Some(id) = self.ids.get(&key) {
            return (*id, false);
        }
        let id = self.known.len();
        self.ids.insert(key, id);
        let steps = self.steps.len();
        let step = *self.steps.entry(step).or_insert(steps);
        self.known.push(Known { from, step, before: Vec::new() });
        if is_the_good_end(world) {
            self.ends.push(id);
        }
        (id, true)
    }

    /// Whether the good end can be reached from everywhere.
    fn judge(&self) -> Explored {
        let mut reaches = vec![false; self.known.len()];
        let mut ahead = self.ends.clone();
        while let Some(id) = ahead.pop() {
            if !std::mem::replace(&mut reaches[id], true) {
                ahead.extend(self.known[id].before.iter().map(|before| *before as usize));
            }
        }
        match reaches.iter().position(|reaches| !reaches) {
            None => Explored::Holds(self.known.len()),
            Some(id) => {
                let lost = reaches.iter().filter(|reaches| !**reaches).count();
                let law = format!("from here there is no good end (nor from {} others)", lost - 1);
                Explored::Broken { law, walk: self.walk(id) }
            }
        }
    }

    fn walk(&self, mut id: usize) -> Vec<String> {
        let words: HashMap<usize, &String> = self.steps.iter().map(|(word, step)| (*step, word)).collect();
        let mut walk = Vec::new();
        while id != 0 {
            walk.push(words[&self.known[id].step].clone());
            id = self.known[id].from;
        }
        walk.reverse();
        walk
    }
}

/// 128 bits: two of a million states are not taken for one.
fn digest(key: &str) -> u128 {
    let hasher = BuildHasherDefault::<DefaultHasher>::new();
    let (low, high) = (hasher.hash_one(key), hasher.hash_one((key, "again")));
    u128::from(high) << 64 | u128::from(low)
}
