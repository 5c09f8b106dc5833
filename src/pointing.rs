//! How Microsoft's clients are pointed at a local hub: the one table behind what `twinscope hub` prints when it starts, its
//! `--help` and the README. What was tried, and with which version, is in `tests/sdk`.

use crate::local_hub::names::LOCALHOST;
use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

/// The ports a hub listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    pub https: u16,
    pub mqtts: u16,
}

/// Those of `twinscope hub` when nothing else is said.
pub const DEFAULT_PORTS: Ports = Ports { https: 8443, mqtts: 8883 };

/// What a client speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The service API, and MQTT over WebSocket.
    Https,
    /// MQTT over TLS.
    Mqtts,
}

impl Listener {
    /// The port that clients take when they are told none, or that they insist on.
    #[must_use]
    pub const fn usual(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Mqtts => 8883,
        }
    }

    #[must_use]
    pub const fn of(self, ports: Ports) -> u16 {
        match self {
            Self::Https => ports.https,
            Self::Mqtts => ports.mqtts,
        }
    }
}

/// Whether a client can be told a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Behind the name in `HostName`.
    InHostName,
    /// It knows the usual one alone.
    UsualOnly,
}

/// One client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointing {
    pub client: &'static str,
    pub listener: Listener,
    pub port: Port,
    /// For a shell; `$CA` stands for the hub's CA file.
    pub command: &'static str,
    /// The version that was tried. `None`: never tried; by the client's documents and source.
    pub tested: Option<&'static str>,
    pub remark: &'static str,
}

const PYTHON_DEVICE: &str = "2.14.0";
const NODE_DEVICE: &str = "1.18.4, transport 1.16.4";
const NODE: &str = "NODE_EXTRA_CA_CERTS=$CA node app.js";

/// All clients that something is known of.
pub const POINTINGS: [Pointing; 11] = [
    Pointing {
        client: "Python azure-iot-hub",
        listener: Listener::Https,
        port: Port::InHostName,
        command: "REQUESTS_CA_BUNDLE=$CA python app.py",
        tested: Some("2.7.0"),
        remark: "Needs `pip install six`. `SSL_CERT_FILE` has no effect",
    },
    Pointing {
        client: "Python azure-iot-device",
        listener: Listener::Mqtts,
        port: Port::UsualOnly,
        command: "SSL_CERT_FILE=$CA python app.py",
        tested: Some(PYTHON_DEVICE),
        remark: "Or `server_verification_cert=` with the file's text. A string whose `HostName` has a port works with \
                 `;GatewayHostName=localhost` behind it",
    },
    Pointing {
        client: "Python azure-iot-device, websockets=True",
        listener: Listener::Https,
        port: Port::UsualOnly,
        command: "SSL_CERT_FILE=$CA python app.py",
        tested: Some(PYTHON_DEVICE),
        remark: "As above",
    },
    Pointing {
        client: "Node azure-iothub",
        listener: Listener::Https,
        port: Port::UsualOnly,
        command: NODE,
        tested: Some("1.16.6"),
        remark: "A port in `HostName` is looked up as a part of the name",
    },
    Pointing {
        client: "Node azure-iot-device, Mqtt",
        listener: Listener::Mqtts,
        port: Port::InHostName,
        command: NODE,
        tested: Some(NODE_DEVICE),
        remark: "Or `client.setOptions({ ca })` with the file's text. The port is that of MQTT",
    },
    Pointing {
        client: "Node azure-iot-device, MqttWs",
        listener: Listener::Https,
        port: Port::UsualOnly,
        command: NODE,
        tested: Some(NODE_DEVICE),
        remark: "As above",
    },
    Pointing {
        client: ".NET Microsoft.Azure.Devices",
        listener: Listener::Https,
        port: Port::UsualOnly,
        command: "SSL_CERT_FILE=$CA dotnet run",
        tested: None,
        remark: "The variable counts on Linux; elsewhere add the CA to the system's store",
    },
    Pointing {
        client: ".NET Microsoft.Azure.Devices.Client",
        listener: Listener::Mqtts,
        port: Port::UsualOnly,
        command: "SSL_CERT_FILE=$CA dotnet run",
        tested: None,
        remark: "As above. Choose MQTT: the hub speaks no AMQP. Over WebSocket the port is 443",
    },
    Pointing {
        client: "Java iot-device-client, MQTT",
        listener: Listener::Mqtts,
        port: Port::UsualOnly,
        command: "keytool -importcert -noprompt -alias hub -storepass changeit -file $CA -keystore hub.jks",
        tested: None,
        remark: "Then `java -Djavax.net.ssl.trustStore=hub.jks …`. With MQTT_WS the port is 443",
    },
    Pointing {
        client: "C iothub_client, MQTT_Protocol",
        listener: Listener::Mqtts,
        port: Port::UsualOnly,
        command: "SSL_CERT_FILE=$CA ./app",
        tested: None,
        remark: "Where it is built with OpenSSL; else set `OPTION_TRUSTED_CERT` to the file's text",
    },
    Pointing {
        client: "az iot",
        listener: Listener::Https,
        port: Port::InHostName,
        command: "REQUESTS_CA_BUNDLE=$CA az iot hub device-identity list --login \"$CONNECTION_STRING\"",
        tested: Some("2.66.0, azure-iot 0.25.0"),
        remark: "Without `az login`. What needs AMQP, such as `monitor-events`, does not apply",
    },
];

impl Pointing {
    /// The beginning of the connection string of a hub that is called `host`.
    #[must_use]
    pub fn host_name(&self, host: &str, ports: Ports) -> String {
        let port = self.listener.of(ports);
        if self.port == Port::UsualOnly || port == self.listener.usual() {
            format!("HostName={host}")
        } else {
            format!("HostName={host}:{port}")
        }
    }

    /// A line for a shell, of a hub that runs, with what else is to be known behind a `#`.
    #[must_use]
    pub fn line(&self, host: &str, ports: Ports, ca_file: &Path) -> String {
        let command = self.command.replace("$CA", &quoted(&ca_file.to_string_lossy()));
        let (usual, actual) = (self.listener.usual(), self.listener.of(ports));
        let forward = if self.port == Port::UsualOnly && usual != actual {
            format!(", knows port {usual} only: forward it to {actual}")
        } else {
            String::new()
        };
        let tried = if self.tested.is_some() { "" } else { " (not tried)" };
        format!("{command}  # {}{tried}: {};…{forward}", self.client, self.host_name(host, ports))
    }

    /// `any`, or the only one it knows.
    fn port_word(&self) -> String {
        match self.port {
            Port::InHostName => "any".to_owned(),
            Port::UsualOnly => self.listener.usual().to_string(),
        }
    }
}

/// What a hub that runs says, line by line.
pub fn lines(host: &str, ports: Ports, ca_file: &Path) -> impl Iterator<Item = String> {
    let head = "How Microsoft's clients are pointed at this hub, each a line for a shell:".to_owned();
    std::iter::once(head)
        .chain(POINTINGS.iter().map(move |pointing| format!("  {}", pointing.line(host, ports, ca_file))))
}

/// For `twinscope hub --help`.
#[must_use]
pub fn help() -> String {
    let mut text = "\
With --data DIR the hub's state is kept there and survives; without it, it lives in memory. When ready, the hub prints one line \
of JSON with its connection strings, addresses and CA file.

How Microsoft's clients are pointed at it. $CA is the CA file. \"any\" port goes into HostName; \"443\" and \"8883\" are the only \
ones a client knows: take it with --https or --mqtts, or forward it. A star: not tried, by the client's documents and source.
"
    .to_owned();
    for pointing in &POINTINGS {
        let star = if pointing.tested.is_none() { "*" } else { "" };
        let client = format!("{}{star}", pointing.client);
        // Writing to a string cannot fail.
        write!(text, "\n  {client:42}{:6}{}", pointing.port_word(), pointing.host_name(LOCALHOST, DEFAULT_PORTS)).ok();
        write!(text, "\n      {}", pointing.command).ok();
    }
    text
}

/// For the README.
#[must_use]
pub fn markdown() -> String {
    let mut text =
        "| client | one line | connection string | port | tried | remark |\n| --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for pointing in &POINTINGS {
        let Pointing { client, command, remark, .. } = pointing;
        let (host_name, port) = (pointing.host_name(LOCALHOST, DEFAULT_PORTS), pointing.port_word());
        let tested = pointing.tested.unwrap_or("no");
        // Writing to a string cannot fail.
        writeln!(text, "| {client} | `{command}` | `{host_name};…` | {port} | {tested} | {remark} |").ok();
    }
    text
}

/// As a word of a shell.
fn quoted(word: &str) -> Cow<'_, str> {
    if word.chars().all(|c| c.is_alphanumeric() || "/._-+:@,".contains(c)) && !word.is_empty() {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}
