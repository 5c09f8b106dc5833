//! *Act as…*: where the hub listens for MQTT is known or asked for, never guessed.

use super::update::hub_word;
use super::{App, Dialog, HubState, Matter, Purpose};
use crate::client::link::MQTT_PORT;
use crate::twin::TwinId;
use crate::worker::{Command, HubRef};

impl App {
    /// The initial text of the field: the port used last on this hub; 8883 where the hub's name has no port, as on every hub in Azure;
    /// else nothing. `None` where the program knows the port itself.
    pub(super) fn usual_mqtt_port(&self) -> Option<String> {
        let HubState::Open(info) = &self.hub else { return Some(String::new()) };
        if info.hub == HubRef::Local {
            return None;
        }
        let used = self.settings.mqtt_ports.get(&hub_word(&info.hub)).copied();
        let has_port = info.host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        Some(used.or((!has_port).then_some(MQTT_PORT)).map(|port| port.to_string()).unwrap_or_default())
    }

    pub(super) fn act_as(&mut self, id: TwinId) -> Vec<Command> {
        let asked = match &self.dialog {
            Some(Dialog::ActAs { id: asked, mqtt_port, .. }) if *asked == id => mqtt_port.clone(),
            _ => self.usual_mqtt_port().filter(|port| !port.is_empty()),
        };
        let mqtt_port = match asked.map(|text| mqtt_port(&text)) {
            None => None,
            Some(Ok(port)) => Some(port),
            Some(Err(why)) => {
                if let Some(Dialog::ActAs { problem, .. }) = &mut self.dialog {
                    *problem = Some(why);
                }
                return Vec::new();
            }
        };
        self.dialog = None;
        self.settled(Matter::Link, &id);
        let key = self.start(format!("Connecting as {id}"), Purpose::Act(id.clone()));
        let now = self.now;
        if let Some(tab) = self.tab_mut(&id) {
            tab.act = Some(super::tab::Act::new(now, tab.report_text.clone()));
        }
        let mut commands = vec![Command::ActAs { key, id, mqtt_port }];
        if let (Some(port), HubState::Open(info)) = (mqtt_port, &self.hub)
            && self.settings.mqtt_ports.insert(hub_word(&info.hub), port) != Some(port)
        {
            commands.splice(0..0, self.keep_settings());
        }
        commands
    }
}

/// A port as typed.
pub(super) fn mqtt_port(text: &str) -> Result<u16, String> {
    match text.trim().parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ if text.trim().is_empty() => {
            Err("Type the port where the hub listens for MQTT: twinscope hub says it as mqtts".to_owned())
        }
        _ => Err("A port is a number from 1 to 65535".to_owned()),
    }
}
