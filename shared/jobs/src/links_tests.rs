use super::*;
use dropscope_local::LocalStore;
use dropscope_pipeline::link::Claim;
use dropscope_ports::Condition;
use tempfile::TempDir;

fn bucket() -> (TempDir, LocalStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path(), "b").unwrap();
    (folder, store)
}

fn run() -> RunId {
    "0123456789abcdef".parse().unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(0).plus_seconds(seconds)
}

fn door() -> Door {
    Door::new("https://door/", 14).unwrap()
}

#[tokio::test]
async fn a_key_is_made_once_and_no_two_buckets_have_the_same() {
    let (_folder, store) = bucket();
    assert_eq!(find_links(&store).await.unwrap(), None);
    make_links(&store, at(1)).await.unwrap();
    let first = find_links(&store).await.unwrap();
    make_links(&store, at(2)).await.unwrap();
    assert_eq!(find_links(&store).await.unwrap(), first);
    let (_other, other) = bucket();
    make_links(&other, at(1)).await.unwrap();
    assert_ne!(find_links(&other).await.unwrap(), first);
}

#[tokio::test]
async fn a_mail_waits_for_no_key() {
    let (_folder, store) = bucket();
    assert_eq!(link(&store, &door(), &run(), at(1)).await.unwrap(), None);
    store.put(&state_keys::links(), b"no json".to_vec(), &Condition::Always).await.unwrap();
    assert_eq!(link(&store, &door(), &run(), at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_run_that_is_revoked_gets_no_link_and_another_does() {
    let (_folder, store) = bucket();
    // Also where nobody has made a key yet.
    revoke_links(&store, Some(&run()), at(1)).await.unwrap();
    assert_eq!(link(&store, &door(), &run(), at(2)).await.unwrap(), None);
    let rerun = run().again(2);
    let open = link(&store, &door(), &rerun, at(2)).await.unwrap().unwrap();
    let claim = Claim::read(open.address.strip_prefix("https://door/").unwrap(), at(3)).unwrap();
    assert_eq!(find_links(&store).await.unwrap().unwrap().opens(&claim), Ok(&rerun));
    // All of them: the key is another, and says since when.
    let links = revoke_links(&store, None, at(4)).await.unwrap();
    assert_eq!(links.made_at, at(4));
    assert!(links.opens(&claim).is_err() && links.revoked.contains_key(&run()));
    assert_eq!(find_links(&store).await.unwrap(), Some(links));
}
