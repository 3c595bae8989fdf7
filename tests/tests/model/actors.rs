//! Who is at work: what it has read, and the calls that it has still to make, the next one last.

use crate::world::{age_budget, age_job, budget_key, earlier, job_key, now};
use dropscope_pipeline::budget::{Budget, Reservation};
use dropscope_pipeline::{Job, Timestamp, Usd};
use dropscope_ports as ports;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Validate,
    Launch,
    Reconcile,
    /// On which instance of its run.
    Worker(usize),
}

/// One call of a port, and what its function does with the answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    // validate
    Find,
    Mark,
    Claim,
    Judge,
    Announce,
    // launch
    Take,
    Reserve,
    Refused,
    PutOff,
    Check,
    Release,
    Start,
    Look,
    PutBack,
    Lose,
    // segment
    Begin,
    Work,
    Commit,
    BreakOff,
    GiveUp,
    // the end of a run
    Close { settles: bool },
    Closed,
    Unmark,
    // its money
    Decide { attempt: u32, cost: Option<Usd> },
    Entry { attempt: u32, held: Reservation },
    Pay { attempt: u32, number: u64 },
    Forget { attempt: u32, number: u64 },
    // its mail
    IsSent,
    Pending,
    InHand,
    IsSentStill,
    Send,
    Record,
    Clear,
    // reconcile
    List,
    Instances,
    Money,
    Leftover { attempt: u32 },
    Terminate { instance: usize },
    Lost,
    GivenUp,
    Idle,
    Act,
    Wake,
    Flush,
}

impl Op {
    /// Whether it changes anything: only then does it matter that its answer is lost.
    pub(crate) fn writes(&self) -> bool {
        !matches!(
            self,
            Self::Find
                | Self::Refused
                | Self::Check
                | Self::Look
                | Self::Work
                | Self::Close { .. }
                | Self::IsSent
                | Self::InHand
                | Self::IsSentStill
                | Self::List
                | Self::Instances
                | Self::Money
                | Self::Leftover { .. }
                | Self::Idle
                | Self::Act
                | Self::Flush
        )
    }
}

impl Op {
    fn needs_the_job(&self) -> bool {
        matches!(self, Self::Lost | Self::GivenUp | Self::Idle | Self::Act | Self::Close { .. })
    }

    fn needs_what_was_seen(&self) -> bool {
        matches!(self, Self::Lost | Self::GivenUp | Self::Idle | Self::Act | Self::Leftover { .. })
    }
}

/// One call of a function, or one worker.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) kind: Kind,
    /// The run that its event named.
    pub(crate) run: usize,
    /// Whether a leap of time went by since it began.
    pub(crate) aged: bool,
    /// Its attempt: of a worker, and of a launch once it has taken one.
    pub(crate) attempt: u32,
    /// The jobs that it has read, by run.
    pub(crate) jobs: Vec<Option<Arc<Job>>>,
    /// Instances as they were listed: of reconcile.
    pub(crate) instances: Vec<ports::Instance>,
    /// The budget as it was read: of reconcile.
    pub(crate) budget: Option<Budget>,
    /// Runs that it may still announce: of reconcile.
    pub(crate) room: usize,
    pub(crate) ops: Vec<(usize, Op)>,
}

impl Actor {
    pub(crate) fn new(kind: Kind, run: usize, runs: usize, op: Op) -> Self {
        let jobs = vec![None; runs];
        let (instances, ops) = (Vec::new(), vec![(run, op)]);
        Self { kind, run, aged: false, attempt: 0, jobs, instances, budget: None, room: 0, ops }
    }

    /// What it takes for the present: it looked at the clock once.
    pub(crate) fn now(&self) -> Timestamp {
        if self.aged { earlier() } else { now() }
    }

    pub(crate) fn job(&self, run: usize) -> &Job {
        self.jobs[run].as_ref().unwrap()
    }

    /// The calls that come next, in this order.
    pub(crate) fn then(&mut self, run: usize, ops: impl IntoIterator<Item = Op>) {
        let mut ops: Vec<Op> = ops.into_iter().collect();
        ops.reverse();
        self.ops.extend(ops.into_iter().map(|op| (run, op)));
    }

    /// Whether what it does next depends on a look at the clock that it took before.
    pub(crate) fn has_looked_at_the_clock(&self) -> bool {
        match self.kind {
            Kind::Launch => self.ops.iter().any(|(_, op)| *op == Op::Reserve),
            Kind::Reconcile => true,
            // Every document of theirs has the time of its writing.
            Kind::Validate | Kind::Worker(_) => false,
        }
    }

    /// Forgets what it will not need any more.
    pub(crate) fn forget(&mut self) {
        self.aged &= self.has_looked_at_the_clock();
        for (run, job) in self.jobs.iter_mut().enumerate() {
            let needed = self.kind == Kind::Reconcile && self.budget.is_none()
                || self.ops.iter().any(|(of, op)| *of == run && op.needs_the_job());
            if !needed {
                *job = None;
            }
        }
        if self.budget.is_some() && !self.ops.iter().any(|(_, op)| op.needs_what_was_seen()) {
            self.instances.clear();
            self.budget = Some(Budget::default());
        }
    }

    pub(crate) fn leap(&mut self) {
        self.aged = self.has_looked_at_the_clock();
        self.jobs.iter_mut().flatten().for_each(age_job);
        self.instances.iter_mut().for_each(|instance| crate::world::age(&mut instance.launched_at));
        self.budget.iter_mut().for_each(age_budget);
    }

    /// Numbers of reservations that it knows.
    pub(crate) fn numbers(&self, numbers: &mut BTreeSet<u64>) {
        numbers.extend(self.budget.iter().flat_map(|budget| budget.reservations.values()).map(|held| held.number));
        numbers.extend(self.ops.iter().filter_map(|(_, op)| match op {
            Op::Entry { held, .. } => Some(held.number),
            Op::Pay { number, .. } | Op::Forget { number, .. } => Some(*number),
            _ => None,
        }));
    }

    pub(crate) fn renumber(&mut self, rank: &BTreeMap<u64, u64>) {
        self.budget
            .iter_mut()
            .flat_map(|budget| budget.reservations.values_mut())
            .for_each(|held| held.number = rank[&held.number]);
        for (_, op) in &mut self.ops {
            match op {
                Op::Entry { held, .. } => held.number = rank[&held.number],
                Op::Pay { number, .. } | Op::Forget { number, .. } => *number = rank[number],
                _ => {}
            }
        }
    }

    pub(crate) fn key(&self) -> String {
        let mut key = format!("|{:?}{}{}{}{}", self.kind, self.run, self.aged, self.attempt, self.room);
        self.jobs.iter().flatten().for_each(|job| job_key(job, &mut key));
        for instance in &self.instances {
            let _ = write!(key, "{}{:?}{}", instance.id, instance.state, instance.launched_at.millis());
        }
        self.budget.iter().for_each(|budget| budget_key(budget, &mut key));
        let _ = write!(key, "{:?}", self.ops);
        key
    }
}
