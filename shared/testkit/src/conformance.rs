//! What every implementation of a port must do, whatever is behind it.
//!
//! Each law panics, through `assert`, with the law's own words when it does not hold: these are for tests.

use dropscope_pipeline::instance::Offer;
use dropscope_pipeline::{Mail, MailKind, ObjectKey, RunId};
use dropscope_ports::{
    BoxError, Clock, Condition, Depth, Fleet, FleetError, InstanceState, LaunchRequest, Mailer, ObjectReader, Objects,
    ObjectsError, Select,
};
use dropscope_recording::ReadAt;
use std::sync::Arc;
use std::time::Duration;

type Checked = Result<(), BoxError>;

/// The laws of objects, under keys that start with `prefix`.
///
/// # Errors
/// When the port fails where it must not.
pub async fn objects(port: Arc<dyn Objects>, prefix: &str) -> Checked {
    let at = |name: &str| ObjectKey::raw(format!("{prefix}{name}"));
    what_is_put_is_got(&*port, &at("plain")).await?;
    a_range_gives_just_its_bytes(&*port, &at("range")).await?;
    create_only_creates_once(&*port, &at("once")).await?;
    a_stale_etag_writes_nothing(&*port, &at("etag")).await?;
    one_of_many_writers_wins(&port, &at("race")).await?;
    what_is_not_there_is_not_found(&*port, &at("nothing")).await?;
    parts_become_one_object(&*port, &at("parts")).await?;
    any_key_is_a_key(&*port, prefix).await?;
    a_listing_is_complete_and_in_order(&*port, &at("list/")).await?;
    a_reader_reads_and_seeks(port, &at("reader")).await
}

async fn what_is_put_is_got(port: &dyn Objects, key: &ObjectKey) -> Checked {
    for bytes in [&b"first"[..], b"", b"second, longer than the first"] {
        let etag = port.put(key, bytes.to_vec(), &Condition::Always).await?;
        let object = port.get(key, &Select::default()).await?;
        assert_eq!(object.bytes, bytes, "what is put is got");
        assert_eq!(object.meta.etag, etag, "a put tells the ETag that a get finds");
        let head = port.head(key, &Select::default()).await?;
        assert_eq!((head.size, head.etag), (bytes.len() as u64, etag), "a head tells size and ETag");
    }
    Ok(())
}

async fn a_range_gives_just_its_bytes(port: &dyn Objects, key: &ObjectKey) -> Checked {
    port.put(key, (0..100).collect(), &Condition::Always).await?;
    let range = |r: std::ops::Range<u64>| Select { range: Some(r), ..Select::default() };
    assert_eq!(port.get(key, &range(10..20)).await?.bytes, (10..20).collect::<Vec<u8>>(), "a range gives just its bytes");
    assert_eq!(port.get(key, &range(90..500)).await?.bytes, (90..100).collect::<Vec<u8>>(), "a range ends with the object");
    assert_eq!(port.get(key, &range(10..20)).await?.meta.size, 100, "a range tells the size of the whole");
    let beyond = port.get(key, &range(100..110)).await;
    assert!(matches!(beyond, Err(ObjectsError::Invalid { .. })), "a range beyond the end is no range: {beyond:?}");
    Ok(())
}

async fn create_only_creates_once(port: &dyn Objects, key: &ObjectKey) -> Checked {
    port.put(key, b"a".to_vec(), &Condition::Absent).await?;
    let again = port.put(key, b"b".to_vec(), &Condition::Absent).await;
    assert!(matches!(again, Err(ObjectsError::Precondition { .. })), "what is there is not created: {again:?}");
    assert_eq!(port.get(key, &Select::default()).await?.bytes, b"a", "a refused write changes nothing");
    Ok(())
}

async fn a_stale_etag_writes_nothing(port: &dyn Objects, key: &ObjectKey) -> Checked {
    let old = port.put(key, b"a".to_vec(), &Condition::Always).await?;
    let new = port.put(key, b"b".to_vec(), &Condition::Matches(old.clone())).await?;
    let stale = port.put(key, b"c".to_vec(), &Condition::Matches(old.clone())).await;
    assert!(matches!(stale, Err(ObjectsError::Precondition { .. })), "a stale ETag writes nothing: {stale:?}");
    let read = |etag: String| Select { if_match: Some(etag), ..Select::default() };
    assert_eq!(port.get(key, &read(new)).await?.bytes, b"b", "a matching ETag reads");
    let stale = port.get(key, &read(old.clone())).await;
    assert!(matches!(stale, Err(ObjectsError::Precondition { .. })), "a stale ETag reads nothing: {stale:?}");
    port.delete(key).await?;
    let gone = port.put(key, b"d".to_vec(), &Condition::Matches(old)).await;
    assert!(matches!(gone, Err(ObjectsError::NotFound { .. })), "If-Match on nothing is 404: {gone:?}");
    Ok(())
}

async fn one_of_many_writers_wins(port: &Arc<dyn Objects>, key: &ObjectKey) -> Checked {
    let writers: Vec<_> = (0..16u8)
        .map(|n| {
            let (port, key) = (port.clone(), key.clone());
            tokio::spawn(async move {
                for _ in 0..20 {
                    match port.put(&key, vec![n; 1000], &Condition::Absent).await {
                        Err(ObjectsError::Conflict { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
                        other => return other.map(|_| n),
                    }
                }
                Err(ObjectsError::Conflict { key })
            })
        })
        .collect();
    let mut winners = Vec::new();
    for writer in writers {
        match writer.await? {
            Ok(n) => winners.push(n),
            Err(error) => assert!(matches!(error, ObjectsError::Precondition { .. }), "a loser is told so: {error:?}"),
        }
    }
    assert_eq!(winners.len(), 1, "one of many writers wins");
    assert_eq!(port.get(key, &Select::default()).await?.bytes, vec![winners[0]; 1000], "the winner's bytes are there, whole");
    Ok(())
}

async fn what_is_not_there_is_not_found(port: &dyn Objects, key: &ObjectKey) -> Checked {
    let (head, get) = (port.head(key, &Select::default()).await, port.get(key, &Select::default()).await);
    assert!(matches!(head, Err(ObjectsError::NotFound { .. })), "what is not there has no head: {head:?}");
    assert!(matches!(get, Err(ObjectsError::NotFound { .. })), "what is not there is not got: {get:?}");
    port.delete(key).await?;
    Ok(())
}

async fn parts_become_one_object(port: &dyn Objects, key: &ObjectKey) -> Checked {
    // All but the last part of an S3 upload have at least 5 MiB.
    let (first, last) = (vec![1u8; 5 << 20], vec![2u8; 10]);
    let upload = port.start_multipart(key).await?;
    let two = port.put_part(key, &upload, 2, last.clone()).await?;
    let one = port.put_part(key, &upload, 1, first.clone()).await?;
    let unseen = port.head(key, &Select::default()).await;
    assert!(matches!(unseen, Err(ObjectsError::NotFound { .. })), "an unfinished upload is not seen: {unseen:?}");
    port.complete_multipart(key, &upload, &[one, two], &Condition::Absent).await?;
    let whole = port.get(key, &Select::default()).await?;
    assert!(whole.bytes == [first, last].concat(), "parts become one object in the order of their numbers");
    let upload = port.start_multipart(key).await?;
    let part = port.put_part(key, &upload, 1, vec![3; 10]).await?;
    let refused = port.complete_multipart(key, &upload, &[part], &Condition::Absent).await;
    assert!(matches!(refused, Err(ObjectsError::Precondition { .. })), "a completion is conditional too: {refused:?}");
    port.abort_multipart(key, &upload).await?;
    let aborted = port.put_part(key, &upload, 2, vec![3; 10]).await;
    assert!(matches!(aborted, Err(ObjectsError::NotFound { .. })), "an aborted upload is gone: {aborted:?}");
    Ok(())
}

/// Names that people and attackers give to files.
pub const ODD_NAMES: [&str; 14] = [
    "day 1/fish+été (2) #3.tif",
    "$(touch x)'\";&.tif",
    "100%2B.tif",
    "a//b.tif",
    "../up.tif",
    "a/./b.tif",
    "tab\tand\nnewline.tif",
    "🐟.tif",
    ".dropscope/jobs.tif",
    "back\\slash.tif",
    "-rf.tif",
    "CON.tif",
    "e\u{301}.tif",
    "\u{e9}.tif",
];

async fn any_key_is_a_key(port: &dyn Objects, prefix: &str) -> Checked {
    let folder = format!("{prefix}odd/");
    let mut keys: Vec<String> = ODD_NAMES.iter().map(|name| format!("{folder}{name}")).collect();
    keys.push(format!("{folder}{}", "long/".repeat(150)));
    keys.push(format!("{folder}{}", "n".repeat(700)));
    // `a` and `a/b` are both objects to S3.
    keys.extend(["node", "node/leaf", "node/leaf/deep"].map(|name| format!("{folder}{name}")));
    for key in &keys {
        port.put(&ObjectKey::raw(key.clone()), key.clone().into_bytes(), &Condition::Absent).await?;
    }
    for key in &keys {
        let object = port.get(&ObjectKey::raw(key.clone()), &Select::default()).await?;
        assert_eq!(object.bytes, key.as_bytes(), "each key has its own object");
    }
    let page = port.list(&folder, None).await?;
    assert!(page.iter().all(|meta| meta.modified.is_some()), "a listing tells when each object was written");
    let mut listed: Vec<String> = page.into_iter().map(|m| m.key.to_string()).collect();
    keys.sort();
    listed.sort();
    assert_eq!(listed, keys, "every key is listed, once");
    for key in &keys {
        port.delete(&ObjectKey::raw(key.clone())).await?;
    }
    assert!(port.list(&folder, None).await?.is_empty(), "what is deleted is not listed");
    Ok(())
}

async fn a_listing_is_complete_and_in_order(port: &dyn Objects, folder: &ObjectKey) -> Checked {
    let count = 1100;
    for n in 0..count {
        port.put(&folder.child(&format!("{n:05}")), Vec::new(), &Condition::Always).await?;
    }
    port.put(&folder.child("01000.json"), Vec::new(), &Condition::Always).await?;
    let (mut keys, mut after): (Vec<ObjectKey>, Option<ObjectKey>) = (Vec::new(), None);
    loop {
        let page = port.list(folder.as_str(), after.as_ref()).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        keys.extend(page.into_iter().map(|meta| meta.key));
    }
    assert_eq!(keys.len(), count + 1, "pages add up to the whole");
    assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "keys come in the order of their bytes");
    let part = port.list(folder.child("0000").as_str(), None).await?;
    assert_eq!(part.len(), 10, "a prefix may end inside a name");
    Ok(())
}

async fn a_reader_reads_and_seeks(port: Arc<dyn Objects>, key: &ObjectKey) -> Checked {
    let bytes: Vec<u8> = (0..10_000u32).map(|n| (n % 251) as u8).collect();
    port.put(key, bytes.clone(), &Condition::Always).await?;
    let meta = port.head(key, &Select::default()).await?;
    let depth = Depth { memory: 4096, request: 1024, smallest: 1024, ..Depth::default() };
    let reader = ObjectReader::new(port.clone(), tokio::runtime::Handle::current(), meta, depth);
    let (read, reader) = tokio::task::spawn_blocking(move || {
        let (mut whole, mut some) = (vec![0; 10_000], [0; 10]);
        let read = reader.read_exact_at(0, &mut whole).and_then(|()| reader.read_exact_at(5000, &mut some));
        (read.map(|()| (whole, some)), reader)
    })
    .await?;
    let (whole, some) = read?;
    assert!(whole == bytes, "a reader reads the object");
    assert_eq!(some, bytes[5000..5010], "a reader reads from any place");
    port.put(key, vec![0; 10_000], &Condition::Always).await?;
    let torn = tokio::task::spawn_blocking(move || reader.read_exact_at(0, &mut [0; 10])).await?;
    assert!(torn.is_err(), "an object replaced half way is noticed");
    Ok(())
}

/// The laws of a fleet whose workers stay until they are ended.
///
/// # Errors
/// When the port fails where it must not.
pub async fn fleet(port: &dyn Fleet, run: &RunId) -> Checked {
    let offers: Vec<Offer> = port.offers().await?;
    assert!(!offers.is_empty(), "a fleet has something on offer");
    let request = |attempt: u32| LaunchRequest {
        token: format!("{run}.{attempt}"),
        run: run.clone(),
        attempt,
        owner: "ana".into(),
        market: dropscope_pipeline::Market::Spot,
        offers: offers.clone(),
        lifetime_seconds: 60,
    };
    let first = port.launch(&request(1)).await?;
    assert_eq!(port.launch(&request(1)).await?.id, first.id, "a repeated token starts nothing");
    let listed = port.list().await?;
    let seen: Vec<_> = listed.iter().filter(|i| i.run == *run).collect();
    assert_eq!(seen.len(), 1, "one instance for one token");
    assert_eq!((seen[0].attempt, seen[0].state), (1, InstanceState::Alive), "a launched instance is seen alive, with its tags");
    port.terminate(&first.id).await?;
    port.terminate(&first.id).await?;
    for _ in 0..200 {
        if port.list().await?.iter().all(|i| i.id != first.id || i.state == InstanceState::Ended) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let alive = port.list().await?.iter().any(|i| i.id == first.id && i.state == InstanceState::Alive);
    assert!(!alive, "a terminated instance ends");
    let spent = port.launch(&request(1)).await;
    assert!(matches!(spent, Err(FleetError::TokenSpent(_))), "a spent token starts nothing: {spent:?}");
    let second = port.launch(&request(2)).await?;
    assert_ne!(second.id, first.id, "a new token starts a new instance");
    port.terminate(&second.id).await?;
    port.terminate("nobody-knows-this").await?;
    Ok(())
}

/// The laws of mail; `sent` tells the bodies that arrived so far.
///
/// # Errors
/// When the port fails where it must not.
pub async fn mailer(port: &dyn Mailer, sent: impl Fn() -> Vec<String>) -> Checked {
    let mail = Mail {
        id: "0123456789abcdef.done".into(),
        owner: "ána/../b c".into(),
        kind: MailKind::Done,
        subject: "dropscope: fish.tif: 24 cells".into(),
        body: "Found       24 cells\nsecond line with été\n".into(),
    };
    port.send(&mail).await?;
    let arrived = sent();
    assert_eq!(arrived.len(), 1, "a mail that is sent arrives");
    assert!(arrived[0].contains("24 cells"), "with its text");
    Ok(())
}

/// The laws of a clock.
pub fn clock(port: &dyn Clock) {
    let (first, second) = (port.now(), port.now());
    assert!(first <= second, "a clock does not go back");
}
