//! What waits for its turn is carried out here, one after another, as far as the faults let it be.

use super::{End, Session};
use crate::local_hub::faults::{Delivery, Fate};
use crate::local_hub::mqtt::faulty::{self, Delayed};
use crate::local_hub::mqtt::packet::Outgoing;
use crate::local_hub::mqtt::pending::{Done, Pending, refused};
use crate::local_hub::mqtt::twin::{self, Operation};
use crate::protocol::fault::When;

impl Session<'_> {
    /// Does what is due, up to and including the next that must be waited for, which then is `busy` or `delayed`.
    pub(super) fn start_pending(&mut self) -> Result<(), End> {
        while self.busy.is_none() && self.delayed.is_none() {
            let Some(pending) = self.pending.pop_front() else { return Ok(()) };
            match pending {
                Pending::Twin { operation, packet_id } => {
                    let fate = faulty::of_twin(&self.lease.hub, &self.lease.id, &operation);
                    if fate.latency.is_zero() {
                        self.carry_out(operation, packet_id, fate)?;
                    } else {
                        self.delayed = Some(Delayed::new(operation, packet_id, fate));
                    }
                }
                Pending::Subscription { answer, kept } => {
                    self.busy = Some(Box::pin(async move {
                        let answer = if kept.await.is_ok() { Some(answer) } else { refused(answer) };
                        Done::Subscribed { answer }
                    }));
                }
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, operation: Operation, packet_id: Option<u16>, fate: Fate) -> Result<(), End> {
        let lease = self.lease;
        if let Err(end) = faulty::before(&fate) {
            // A connection that broke here has not brought what came behind.
            self.pending.clear();
            return Err(end);
        }
        if let Some(status) = fate.status {
            let refused = status.refused(faulty::occasion(&operation));
            return self.conclude(packet_id, Some(twin::instead(&lease.hub, operation, &refused)), &fate);
        }
        match operation {
            // Straight into `unsent`, without a pause: no later desired change can get in front of this answer.
            Operation::Get { rid } => self.conclude(packet_id, Some(twin::get(lease, rid)), &fate),
            Operation::Refuse { rid, why } => self.conclude(packet_id, Some(twin::refuse(&lease.hub, rid, why)), &fate),
            Operation::Report { rid, expected, patch } => {
                self.busy = Some(Box::pin(async move {
                    let answer = twin::report(lease, rid, expected, &patch).await;
                    Done::Reported { answer, packet_id, fate }
                }));
                Ok(())
            }
        }
    }

    pub(super) fn carry_out_delayed(&mut self) -> Result<(), End> {
        match self.delayed.take() {
            Some(delayed) => self.carry_out(delayed.operation, delayed.packet_id, delayed.fate),
            None => Ok(()),
        }
    }

    pub(super) fn done(&mut self, done: Done) -> Result<(), End> {
        match done {
            Done::Reported { answer, packet_id, fate } => self.conclude(packet_id, Some(answer), &fate),
            Done::Subscribed { answer } => {
                self.unacknowledged -= 1;
                self.send(&answer.ok_or(End::NotKept)?);
                Ok(())
            }
        }
    }

    /// Acknowledges what was carried out and sends its answer, or what the faults leave of both.
    pub(super) fn conclude(
        &mut self,
        packet_id: Option<u16>,
        answer: Option<Outgoing>,
        fate: &Fate,
    ) -> Result<(), End> {
        if fate.drop == Some(When::After) {
            self.pending.clear();
            return Err(End::Dropped);
        }
        let puback =
            packet_id.filter(|_| fate.puback == Delivery::Sent).map(|packet_id| Outgoing::PubAck { packet_id });
        if fate.drop == Some(When::Halfway) {
            self.pending.clear();
            // The answer is what breaks, or the acknowledgement where that is all there is.
            if let (Some(puback), Some(_)) = (&puback, &answer) {
                self.send(puback);
            }
            if let Some(last) = answer.or(puback) {
                faulty::put_half(&last, &mut self.unsent);
            }
            return Err(End::Dropped);
        }
        if let Some(puback) = puback {
            self.send(&puback);
        }
        if let Some(answer) = answer.filter(|_| fate.response == Delivery::Sent) {
            self.respond(&answer);
        }
        Ok(())
    }

    /// Other faults are in force: they may have another end for this connection, and another time of day.
    pub(super) fn faults_set(&mut self) {
        self.lifetime.renew(self.lease.hub.faults(), &self.lease.id);
        self.clocks.look_at_token();
    }

    /// Applies the reports that are left; nobody hears the answers any more.
    pub(super) async fn finish(&mut self) {
        loop {
            if let Some(busy) = self.busy.take() {
                busy.await;
            }
            self.pending.retain(|pending| matches!(pending, Pending::Twin { operation: Operation::Report { .. }, .. }));
            // What a fault holds back is done at once: the identity's next connection waits for this one.
            let broken = self.carry_out_delayed().and_then(|()| self.start_pending()).is_err();
            if broken || (self.busy.is_none() && self.delayed.is_none()) {
                return;
            }
        }
    }
}
