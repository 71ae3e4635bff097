//! Authorization servers that mean harm, over raw sockets: every answer comes in time and is 503, nobody else waits, and no memory is lost.
//!
//! One program of its own, because the memory of the whole process is measured.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode, header};
use mcp_auth::{
    AuthInfo, AuthorizationServer, BearerToken, ClientAuthentication, Introspection, McpAuth, Userinfo, testing::Issuer,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tower::ServiceExt as _;

const RESOURCE: &str = "http://localhost:3001";

/// Requests that wait for one hostile server at the same time.
const HERD: usize = 20;

/// What every answer has to be faster than: the deadline of a fetch, 5 s, and time to answer.
const SLOWEST_ANSWER: Duration = Duration::from_secs(6);

/// What a request for a healthy issuer has to be faster than. Far from the deadline of the others, and far from what a busy machine needs.
const NOT_DELAYED: Duration = Duration::from_secs(2);

/// How much a server's memory may grow, whatever the authorization servers send.
const MAX_GROWTH: u64 = 32 << 20;

/// A body that is to be refused long before its end.
const HUGE: usize = 64 << 20;

/// Which of its endpoints a server is hostile at; at the others it behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Endpoint {
    Metadata,
    KeySet,
    Introspection,
    Userinfo,
}

const ENDPOINTS: [Endpoint; 4] = [
    Endpoint::Metadata,
    Endpoint::KeySet,
    Endpoint::Introspection,
    Endpoint::Userinfo,
];

#[derive(Debug, Clone, PartialEq)]
enum Behaviour {
    /// Accepts and never answers.
    Hang,
    /// One byte a second, without ever ending the head.
    DripHead,
    /// A good head, then one byte a second.
    DripBody,
    /// 64 MiB, announced.
    Announced,
    /// 64 MiB that end with the connection.
    UntilClosed,
    /// 64 MiB in chunks.
    Chunked,
    /// A few hundred kilobytes that unfold to more than 64 MiB.
    GzipBomb,
    /// To a server that would answer with what is asked for.
    RedirectElsewhere(u16),
    /// To the same URL.
    RedirectToItself(u16),
    /// Metadata of another issuer, with keys that the attacker has.
    WrongIssuer,
    /// Metadata late but in time, and then nothing: each fetch for itself would be in time.
    LateThenHang,
}

/// One hostile server and what is asked of it.
struct Case {
    endpoint: Endpoint,
    behaviour: Behaviour,
    /// Behind the bearer layer, which trusts the hostile server and a healthy one.
    app: Router,
    /// Tokens that the hostile server has to be asked for, or about.
    tokens: Vec<BearerToken>,
    healthy: BearerToken,
    requests: Arc<AtomicUsize>,
    elsewhere: Arc<AtomicUsize>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}", self.behaviour, self.endpoint)
    }
}

impl Case {
    async fn new(endpoint: Endpoint, behaviour: Behaviour, issuer: &Issuer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (requests, elsewhere) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (trap, trapped) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::clone(&elsewhere));
        let server = Hostile {
            trap: format!("http://{}", trap.local_addr().unwrap()),
            // An attacker would send keys of its own. These are the ones that would let the tokens below pass.
            keys: format!("{}/jwks", issuer.url()),
            url: url.clone(),
            endpoint,
            behaviour: behaviour.clone(),
            requests: Arc::clone(&requests),
        };
        serve(listener, server.clone());
        tokio::spawn(async move {
            while let Ok((connection, _)) = trap.accept().await {
                trapped.fetch_add(1, Ordering::SeqCst);
                let trap = Hostile {
                    endpoint: Endpoint::KeySet,
                    behaviour: Behaviour::Hang,
                    ..server.clone()
                };
                tokio::spawn(async move { trap.answer(connection).await });
            }
        });
        let hostile = AuthorizationServer::builder(&url);
        let hostile = match endpoint {
            Endpoint::Metadata | Endpoint::KeySet => hostile,
            Endpoint::Introspection => {
                hostile.introspection(Introspection::new(ClientAuthentication::client_secret_basic("a", "b")))
            }
            Endpoint::Userinfo => hostile.insecure_userinfo_without_audience(Userinfo::new()),
        };
        let auth = McpAuth::builder(RESOURCE)
            .authorization_server(hostile.build().unwrap())
            .authorization_server(issuer.authorization_server().unwrap())
            .build()
            .unwrap();
        let subject = async |info: AuthInfo| info.subject().to_owned();
        let token = |number: usize| match endpoint {
            Endpoint::Metadata | Endpoint::KeySet => {
                issuer.token().audience(RESOURCE).claim("iss", url.as_str()).sign()
            }
            Endpoint::Introspection | Endpoint::Userinfo => BearerToken::new(format!("opaque-{number}")),
        };
        Self {
            endpoint,
            behaviour,
            app: Router::new().route("/", get(subject)).layer(auth.bearer_layer()),
            tokens: (0..HERD).map(token).collect(),
            healthy: issuer.token().audience(RESOURCE).sign(),
            requests,
            elsewhere,
        }
    }

    /// Sends a herd of requests that need the hostile server, and meanwhile ones that do not.
    async fn run(self) {
        let over = AtomicBool::new(false);
        let herd = async {
            let mut herd = JoinSet::new();
            for token in &self.tokens {
                herd.spawn(request(self.app.clone(), token.clone()));
            }
            while let Some(answer) = herd.join_next().await {
                let (status, retry_after, elapsed) = answer.unwrap();
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{self}");
                assert!(
                    retry_after.is_some_and(|seconds| (1..=30).contains(&seconds)),
                    "{self}: {retry_after:?}"
                );
                assert!(elapsed < SLOWEST_ANSWER, "{self}: {elapsed:?}");
            }
            over.store(true, Ordering::SeqCst);
        };
        let others = async {
            loop {
                let (status, _, elapsed) = request(self.app.clone(), self.healthy.clone()).await;
                assert_eq!(status, StatusCode::OK, "{self}");
                assert!(
                    elapsed < NOT_DELAYED,
                    "{self}: another issuer's request took {elapsed:?}"
                );
                if over.load(Ordering::SeqCst) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::join!(herd, others);
        assert!(self.requests.load(Ordering::SeqCst) >= 1, "{self}: it was asked");
        assert_eq!(self.elsewhere.load(Ordering::SeqCst), 0, "{self}: and nobody else");
    }
}

/// Status, `Retry-After` and duration of one request.
async fn request(app: Router, token: BearerToken) -> (StatusCode, Option<u64>, Duration) {
    let request = Request::get("/")
        .header(header::HOST, "localhost:3001")
        .header(header::AUTHORIZATION, format!("Bearer {}", token.dangerous_raw_token()))
        .body(Body::empty())
        .unwrap();
    let begin = Instant::now();
    let answer = app.oneshot(request).await.unwrap();
    let retry_after = answer.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.map(|seconds| seconds.to_str().unwrap().parse().unwrap());
    (answer.status(), retry_after, begin.elapsed())
}

/// An authorization server that is hostile at one endpoint.
#[derive(Clone)]
struct Hostile {
    url: String,
    trap: String,
    keys: String,
    endpoint: Endpoint,
    behaviour: Behaviour,
    requests: Arc<AtomicUsize>,
}

fn serve(listener: TcpListener, server: Hostile) {
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let server = server.clone();
            // A client that hangs up is what most of this is about.
            tokio::spawn(async move { server.answer(connection).await.ok() });
        }
    });
}

impl Hostile {
    /// Answers one request, and ends the connection.
    async fn answer(&self, mut connection: TcpStream) -> io::Result<()> {
        let path = read_request(&mut connection).await?;
        let endpoint = match &*path {
            "/jwks" => Endpoint::KeySet,
            "/introspect" => Endpoint::Introspection,
            "/userinfo" => Endpoint::Userinfo,
            _ => Endpoint::Metadata,
        };
        if self.behaviour == Behaviour::LateThenHang && endpoint == Endpoint::Metadata {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        if endpoint != self.endpoint {
            return self.behave(&mut connection).await;
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        let mut write = async |text: &str| connection.write_all(text.as_bytes()).await;
        match &self.behaviour {
            Behaviour::Hang | Behaviour::LateThenHang => std::future::pending().await,
            Behaviour::DripHead => {
                write("HTTP/1.1 200 OK\r\nx-drip: ").await?;
                drip(&mut connection).await
            }
            Behaviour::DripBody => {
                write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await?;
                drip(&mut connection).await
            }
            Behaviour::Announced => {
                write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {HUGE}\r\n\r\n")).await?;
                pour(&mut connection, "", "").await
            }
            Behaviour::UntilClosed => {
                write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await?;
                pour(&mut connection, "", "").await
            }
            Behaviour::Chunked => {
                write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                pour(&mut connection, &format!("{:x}\r\n", SPACES.len()), "\r\n").await
            }
            Behaviour::GzipBomb => {
                let bomb = gzip_of_spaces(HUGE);
                write(&format!(
                    "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                    bomb.len()
                ))
                .await?;
                connection.write_all(&bomb).await
            }
            Behaviour::RedirectElsewhere(status) => write(&redirect(*status, &format!("{}{path}", self.trap))).await,
            Behaviour::RedirectToItself(status) => write(&redirect(*status, &path)).await,
            Behaviour::WrongIssuer => {
                let metadata = json!({"issuer": format!("{}/", self.url), "jwks_uri": self.keys});
                write(&ok(&metadata.to_string())).await
            }
        }
    }

    /// What is not hostile is right, so that a client comes to what is.
    async fn behave(&self, connection: &mut TcpStream) -> io::Result<()> {
        let url = &self.url;
        let metadata = json!({
            "issuer": url,
            "jwks_uri": format!("{url}/jwks"),
            "introspection_endpoint": format!("{url}/introspect"),
            "userinfo_endpoint": format!("{url}/userinfo"),
        });
        connection.write_all(ok(&metadata.to_string()).as_bytes()).await
    }
}

/// Reads a whole request, body included, and returns its path.
async fn read_request(connection: &mut TcpStream) -> io::Result<String> {
    let mut request = Vec::new();
    loop {
        connection.read_buf(&mut request).await?;
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return Ok(head.split(' ').nth(1).unwrap().to_owned());
        }
    }
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Over There\r\nlocation: {location}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
}

async fn drip(connection: &mut TcpStream) -> io::Result<()> {
    loop {
        connection.write_all(b" ").await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

static SPACES: [u8; 64 << 10] = [b' '; 64 << 10];

/// Sends 64 MiB of spaces, which JSON may begin with. This process keeps none of them.
async fn pour(connection: &mut TcpStream, before: &str, after: &str) -> io::Result<()> {
    for _ in 0..HUGE / SPACES.len() {
        connection.write_all(before.as_bytes()).await?;
        connection.write_all(&SPACES).await?;
        connection.write_all(after.as_bytes()).await?;
    }
    Ok(())
}

/// A gzip member (RFC 1952) of one block with fixed codes (RFC 1951 section 3.2.6): a space, then "258 bytes from one byte ago" again and again.
fn gzip_of_spaces(count: usize) -> Vec<u8> {
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let (mut pending, mut held) = (0_u32, 0);
    let mut bits = |value: u32, count: u32| {
        pending |= value << held;
        held += count;
        while held >= 8 {
            gzip.push(pending.to_le_bytes()[0]);
            pending >>= 8;
            held -= 8;
        }
    };
    // Huffman codes stand with their first bit first, everything else with its last.
    let code = |code: u32, length: u32| (code.reverse_bits() >> (32 - length), length);
    bits(0b011, 3);
    let (space, length) = code(0x30 + u32::from(b' '), 8);
    bits(space, length);
    let (repeat, length) = code(0b1100_0101, 8);
    for _ in 0..count / 258 + 1 {
        bits(repeat, length);
        bits(0, 5);
    }
    bits(0, 7);
    bits(0, 7);
    gzip
}

/// The memory of this process: now, and the most it ever had, in bytes. Known on Linux only.
fn memory() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let of = |name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
    };
    Some((of("VmRSS:")?, of("VmHWM:")?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_authorization_server_delays_nobody_else_and_costs_little_memory() {
    let issuer = Issuer::start().await.unwrap();
    let (mut fast, mut slow) = (Vec::new(), Vec::new());
    for endpoint in ENDPOINTS {
        for behaviour in [Behaviour::Hang, Behaviour::DripHead, Behaviour::DripBody] {
            slow.push(Case::new(endpoint, behaviour, &issuer).await);
        }
        if endpoint != Endpoint::Metadata {
            slow.push(Case::new(endpoint, Behaviour::LateThenHang, &issuer).await);
        }
        for behaviour in [
            Behaviour::Announced,
            Behaviour::UntilClosed,
            Behaviour::Chunked,
            Behaviour::GzipBomb,
        ] {
            fast.push(Case::new(endpoint, behaviour, &issuer).await);
        }
        for status in [301, 302, 303, 307, 308] {
            fast.push(Case::new(endpoint, Behaviour::RedirectElsewhere(status), &issuer).await);
            fast.push(Case::new(endpoint, Behaviour::RedirectToItself(status), &issuer).await);
        }
    }
    fast.push(Case::new(Endpoint::Metadata, Behaviour::WrongIssuer, &issuer).await);

    let before = memory();
    let mut running = JoinSet::new();
    for case in slow {
        running.spawn(case.run());
    }
    for case in fast {
        let name = case.to_string();
        case.run().await;
        assert_memory(before, &name);
    }
    while let Some(case) = running.join_next().await {
        case.unwrap();
    }
    assert_memory(before, "everything");
}

#[track_caller]
fn assert_memory(before: Option<(u64, u64)>, what: &str) {
    if let (Some((before, _)), Some((_, most))) = (before, memory()) {
        let growth = most.saturating_sub(before);
        assert!(growth < MAX_GROWTH, "{what}: memory grew by {} MiB", growth >> 20);
    }
}
