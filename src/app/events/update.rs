//! How the stream is started, stopped and taken in.

use super::{Absence, Chosen, Events, EventsAct, Stream};
use crate::app::{App, HubState};
use crate::client::HubError;
use crate::protocol::event::EventPage;
use crate::worker::event::Then;
use crate::worker::{Command, Failure};

impl App {
    pub(in crate::app) fn events_act(&mut self, act: EventsAct) -> Vec<Command> {
        let events = &mut self.events;
        match act {
            EventsAct::Look => {
                events.looked_at = true;
                return self.follow_events();
            }
            EventsAct::LookAway => {
                events.looked_at = false;
                return self.leave_events(Stream::Idle);
            }
            EventsAct::Pause => {
                events.paused = true;
                return self.leave_events(Stream::Paused);
            }
            EventsAct::Resume => {
                events.paused = false;
                return self.follow_events();
            }
            EventsAct::TryAgain => return self.follow_events(),
            EventsAct::Filter(text) => {
                events.filter = text;
                events.filter_anew();
            }
            EventsAct::Toggle(kind) => {
                if !events.hidden.remove(kind) {
                    events.hidden.insert(kind);
                }
                events.filter_anew();
            }
            EventsAct::ShowAll => {
                events.filter.clear();
                events.hidden.clear();
                events.filter_anew();
            }
            EventsAct::Clear => events.clear(),
            EventsAct::Choose(seq) => events.chosen = seq.and_then(|seq| Chosen::of(events.row(seq)?)),
        }
        Vec::new()
    }

    /// Another hub is open.
    pub(in crate::app) fn events_of_hub(&mut self) -> Vec<Command> {
        self.events.forget();
        self.follow_events()
    }

    /// The hub is being left, which ends its stream.
    pub(in crate::app) fn forget_events(&mut self) {
        self.events.forget();
    }

    fn follow_events(&mut self) -> Vec<Command> {
        let HubState::Open(info) = &self.hub else { return Vec::new() };
        let events = &mut self.events;
        if !events.looked_at {
            return Vec::new();
        }
        if info.is_azure() {
            events.stream = Stream::Absent(Absence::Azure);
            return Vec::new();
        }
        if events.paused {
            events.stream = Stream::Paused;
            return Vec::new();
        }
        events.stream = Stream::Asked { since: self.now };
        vec![Command::FollowEvents { after: events.last }]
    }

    fn leave_events(&mut self, to: Stream) -> Vec<Command> {
        let followed = matches!(self.events.stream, Stream::Asked { .. } | Stream::Live | Stream::Failing(_));
        if !matches!(self.events.stream, Stream::Absent(_)) || to == Stream::Idle {
            self.events.stream = to;
        }
        if followed { vec![Command::LeaveEvents] } else { Vec::new() }
    }

    pub(in crate::app) fn take_events(&mut self, after: u64, page: EventPage) {
        let events: &mut Events = &mut self.events;
        // Told before the stream was left: it is asked for again when somebody looks.
        if matches!(events.stream, Stream::Asked { .. } | Stream::Live | Stream::Failing(_)) {
            events.stream = Stream::Live;
            events.take(after, page);
        }
    }

    pub(in crate::app) fn events_failed(&mut self, error: HubError, then: Then) {
        if !matches!(self.events.stream, Stream::Asked { .. } | Stream::Live | Stream::Failing(_)) {
            return;
        }
        self.events.stream = match (then, error) {
            (Then::GaveUp, HubError::NotFound { .. }) => Stream::Absent(Absence::NotFound),
            (Then::GaveUp, error) => Stream::Refused(Failure::Hub(error)),
            (Then::TriesAgain, error) => Stream::Failing(Failure::Hub(error)),
        };
    }
}
