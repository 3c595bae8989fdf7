//! A network between a client and a store: it counts what is asked, and fails as it is told.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a connection once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The first request is answered with 503 SlowDown.
    SlowDown,
    /// The connection is reset after so many bytes of answers.
    Reset(u64),
    /// It ends after so many bytes, as if that were all.
    Cut(u64),
    /// Nothing comes any more after so many bytes.
    Stall(u64),
}

/// A network to one store.
pub(crate) struct Proxy {
    /// Where clients find it.
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicUsize>,
    faults: Arc<AtomicUsize>,
}

impl Proxy {
    /// A network to `store`; with a seed, most connections meet a fault sooner or later.
    pub(crate) async fn to(store: SocketAddr, seed: Option<u64>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = Self { address, requests: Arc::default(), faults: Arc::default() };
        let (requests, faults) = (proxy.requests.clone(), proxy.faults.clone());
        tokio::spawn(async move {
            let mut random = seed.map(Xoshiro256PlusPlus::seed_from_u64);
            while let Ok((client, _)) = listener.accept().await {
                let fault = random.as_mut().and_then(draw);
                faults.fetch_add(usize::from(fault.is_some()), Ordering::SeqCst);
                tokio::spawn(connection(client, store, fault, requests.clone()));
            }
        });
        proxy
    }

    /// Requests that came so far.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Connections that were chosen to fail so far.
    pub(crate) fn faults(&self) -> usize {
        self.faults.load(Ordering::SeqCst)
    }
}

fn draw(random: &mut Xoshiro256PlusPlus) -> Option<Fault> {
    let after = random.gen_range(0..6 << 20);
    match random.gen_range(0..10) {
        0 => Some(Fault::SlowDown),
        1..=3 => Some(Fault::Reset(after)),
        4..=6 => Some(Fault::Cut(after)),
        7 => Some(Fault::Stall(after)),
        _ => None,
    }
}

async fn connection(client: TcpStream, store: SocketAddr, fault: Option<Fault>, requests: Arc<AtomicUsize>) {
    if fault == Some(Fault::SlowDown) {
        return slow_down(client, &requests).await;
    }
    let server = TcpStream::connect(store).await.unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = tokio::spawn(ask(from_client, to_server, requests));
    answer(from_server, to_client, fault).await;
    up.abort();
}

async fn slow_down(mut client: TcpStream, requests: &AtomicUsize) {
    let mut head = [0; 1 << 14];
    if client.read(&mut head).await.is_ok_and(|count| count > 0) {
        requests.fetch_add(1, Ordering::SeqCst);
        let body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
        let length = body.len();
        let answer = format!("HTTP/1.1 503 Slow Down\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        let _ = client.write_all(answer.as_bytes()).await;
        let _ = client.shutdown().await;
    }
}

/// Requests without bodies: each is one head.
async fn ask(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, requests: Arc<AtomicUsize>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = client.read(&mut buffer).await {
        let ends = buffer[..count].windows(4).filter(|four| *four == b"\r\n\r\n").count();
        requests.fetch_add(ends, Ordering::SeqCst);
        if server.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

async fn answer(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, fault: Option<Fault>) {
    let mut buffer = vec![0; 1 << 16];
    let mut sent = 0;
    while let Ok(count @ 1..) = server.read(&mut buffer).await {
        let most = match fault {
            Some(Fault::Reset(after) | Fault::Cut(after) | Fault::Stall(after)) => after - sent,
            _ => u64::MAX,
        };
        let count = (count as u64).min(most);
        if client.write_all(&buffer[..count as usize]).await.is_err() {
            return;
        }
        sent += count;
        match fault {
            Some(Fault::Stall(after)) if sent == after => std::future::pending().await,
            Some(Fault::Cut(after)) if sent == after => return,
            Some(Fault::Reset(after)) if sent == after => {
                let _ = client.as_ref().set_zero_linger();
                return;
            }
            _ => {}
        }
    }
}
