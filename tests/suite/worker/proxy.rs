//! A forwarder in front of a hub that can lose one exchange.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// What is lost. The connection is closed afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The hub gets the request, the client no answer.
    LoseAnswer = 1,
    /// The hub gets nothing.
    LoseRequest = 2,
}

/// Forwards bytes, TLS and all, from a free port to the hub.
pub struct Proxy {
    port: u16,
    lose: Arc<AtomicU8>,
}

impl Proxy {
    pub fn start(hub: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let lose = Arc::new(AtomicU8::new(0));
        let flag = lose.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(hub) = TcpStream::connect(("127.0.0.1", hub)) else { continue };
                let (back, forth) = ((hub.try_clone().unwrap(), client.try_clone().unwrap()), (client, hub));
                let (a, b) = (flag.clone(), flag.clone());
                std::thread::spawn(move || pump(forth.0, forth.1, &a, Mode::LoseRequest));
                std::thread::spawn(move || pump(back.0, back.1, &b, Mode::LoseAnswer));
            }
        });
        Self { port, lose }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next bytes in that direction are lost, and with them the connection.
    pub fn lose_next(&self, mode: Mode) {
        self.lose.store(mode as u8, Ordering::SeqCst);
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, lose: &AtomicU8, mine: Mode) {
    from.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
    let mut buffer = [0; 16 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(_) if lose.compare_exchange(mine as u8, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok() => break,
            Ok(n) if to.write_all(&buffer[..n]).is_ok() => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => break,
        }
    }
    for stream in [&from, &to] {
        // One that is closed already needs no closing.
        stream.shutdown(Shutdown::Both).ok();
    }
}
