//! The one integration binary: contract, panels, journeys, tidy.

mod app;
mod client;
mod demo;
mod disk;
mod hub_disk;
mod hub_mqtt;
mod hub_rest;
mod journeys;
mod panels;
mod protocol;
mod query;
mod support;
mod tidy;
mod twin;
mod worker;
