//! Twinscope: a native desktop explorer for Azure IoT Hub device and module twins, with a complete local IoT Hub inside.
//!
//! **Pure in the middle, sockets at the rim, egui on top.** The rooms, in reading order:
//!
//! | room | what it answers |
//! | --- | --- |
//! | [`twin`] | What is a twin? Pure data and functions: patch, diff, merge, rules, draft |
//! | [`query`] | What does the query ask? Parser and evaluator |
//! | [`protocol`] | Which words do both ends use? Connection strings, SAS, routes, error bodies, topics |
//! | [`copy_as`] | How would another tool say this save? curl, `az`, Python, Node.js, C#, Rust |
//! | [`client`] | Talks to a hub: `HubClient` over HTTPS, `DeviceLink` over MQTT |
//! | [`local_hub`] | Is a hub, on loopback, behind real TLS sockets |
//! | [`demo`] | Plays the demo fleet: simulated devices, through the same client |
//! | [`disk`] | Remembers: settings, connections, secrets, drafts, the journal |
//! | [`worker`] | The background half: commands in, events out |
//! | [`app`] | The foreground half, without egui: what is known and chosen |
//! | [`ui`] | Paints and listens |
//! | [`args`] | The command line |
//! | [`logging`] | The log: one event, one line |
//! | [`pointing`] | How Microsoft's clients are pointed at the local hub |
//! | [`serve`] | `twinscope hub`: the local hub without a window |
//! | [`token`] | `twinscope token`: a SAS token for other tools |
//!
//! `twin`, `query`, `protocol` and `copy_as` know no runtime, no window, no clock, no disk. `client` and `local_hub` never use each
//! other: they meet through a socket. `app` knows neither tokio nor egui.

pub mod app;
pub mod args;
pub mod client;
pub mod copy_as;
pub mod demo;
pub mod disk;
pub mod local_hub;
pub mod logging;
pub mod pointing;
pub mod protocol;
pub mod query;
pub mod serve;
pub mod token;
pub mod twin;
pub mod ui;
pub mod worker;
