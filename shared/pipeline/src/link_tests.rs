use super::*;
use proptest::prelude::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(0).plus_seconds(seconds)
}

fn links(byte: u8) -> Links {
    Links::new(LinkKey::new([byte; 32]), at(0))
}

fn opened(links: &Links, token: &str, now: Timestamp) -> Result<RunId, BadLink> {
    let claim = Claim::read(token, now)?;
    links.opens(&claim).cloned()
}

fn runs() -> impl Strategy<Value = RunId> {
    let again = prop_oneof![Just(String::new()), (2u32..=999_999).prop_map(|n| format!("-{n}"))];
    ("[0-9a-f]{16}", again).prop_map(|(base, again)| format!("{base}{again}").parse().unwrap())
}

/// Until the year 2200.
const LATEST: u64 = 7_258_118_400;

#[test]
fn a_token_is_what_another_implementation_signs() {
    // Python: base64.urlsafe_b64encode(m + hmac.new(bytes([7]) * 32, m, "sha256").digest()).rstrip(b"=") of
    // m = bytes([1]) + (1796083200).to_bytes(8, "big") + b"0123456789abcdef-2".
    let run = "0123456789abcdef-2".parse().unwrap();
    let token = links(7).sign(&run, at(1_796_083_200)).unwrap();
    assert_eq!(token, "AQAAAABrDg4AMDEyMzQ1Njc4OWFiY2RlZi0yWyzI_SbLTAO4Avk4Q4N7X46syHyHKEsSZaCPZcRicVQ");
}

#[test]
fn a_key_is_written_and_read_but_never_shown() {
    let links = links(0xa5);
    let text = serde_json::to_string(&links).unwrap();
    assert!(text.contains(&"a5".repeat(32)), "{text}");
    assert_eq!(serde_json::from_str::<Links>(&text).unwrap(), links);
    assert!(!format!("{links:?}").contains("a5"), "{links:?}");
    for broken in ["", "a5", &"a5".repeat(33), &"zz".repeat(32)] {
        assert!(LinkKey::try_from(broken.to_owned()).is_err(), "{broken}");
    }
}

#[test]
fn a_door_without_a_day_is_none() {
    assert_eq!(Door::new("https://x/", 0), None);
    let run = "0123456789abcdef".parse().unwrap();
    let token = links(1).sign(&run, at(14 * 86_400)).unwrap();
    for address in ["https://x", "https://x/"] {
        let link = Door::new(address, 14).unwrap().link(&links(1), &run, at(0)).unwrap();
        assert_eq!(link, Link { address: format!("https://x/{token}"), days: 14 });
    }
}

proptest! {
    #[test]
    fn what_is_signed_opens_its_run_until_its_end_and_not_then(run in runs(), end in 1..LATEST, early in 0..LATEST, key: u8) {
        let token = links(key).sign(&run, at(end)).unwrap();
        prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        prop_assert_eq!(opened(&links(key), &token, at(early.min(end - 1))), Ok(run));
        prop_assert_eq!(opened(&links(key), &token, at(end)), Err(BadLink::Expired));
        prop_assert_eq!(opened(&links(key), &token, at(end + early)), Err(BadLink::Expired));
    }

    #[test]
    fn any_other_character_anywhere_opens_nothing(run in runs(), place: prop::sample::Index, other in "[-_A-Za-z0-9+/= ]") {
        let token = links(1).sign(&run, at(1000)).unwrap();
        let place = place.index(token.len());
        let changed = format!("{}{other}{}", &token[..place], &token[place + 1..]);
        prop_assume!(changed != token);
        prop_assert!(opened(&links(1), &changed, at(0)).is_err(), "{}", changed);
    }

    #[test]
    fn any_other_byte_opens_nothing(run in runs(), place: prop::sample::Index, change in 1..=255u8) {
        let token = links(1).sign(&run, at(1000)).unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        prop_assert!(opened(&links(1), &URL_SAFE_NO_PAD.encode(bytes), at(0)).is_err());
    }

    #[test]
    fn a_token_cut_short_or_made_longer_opens_nothing(run in runs(), cut in 1usize..60, more in "[-_A-Za-z0-9]{1,9}") {
        let token = links(1).sign(&run, at(1000)).unwrap();
        prop_assert!(opened(&links(1), &token[..token.len() - cut], at(0)).is_err());
        let longer = format!("{token}{more}");
        prop_assert!(opened(&links(1), &longer, at(0)).is_err());
    }

    #[test]
    fn the_end_cannot_be_put_off_nor_the_run_changed(run in runs(), other in runs(), later in 1001..LATEST) {
        prop_assume!(run != other);
        let token = |run: &RunId, end| URL_SAFE_NO_PAD.decode(links(1).sign(run, at(end)).unwrap()).unwrap();
        let tag = |bytes: &[u8]| bytes[bytes.len() - TAG..].to_vec();
        let ours = token(&run, 1000);
        for theirs in [token(&run, later), token(&other, 1000)] {
            let spliced = [&theirs[..theirs.len() - TAG], &tag(&ours)].concat();
            prop_assert_eq!(opened(&links(1), &URL_SAFE_NO_PAD.encode(spliced), at(0)), Err(BadLink::Forged));
        }
    }

    #[test]
    fn another_key_opens_nothing(run in runs(), key: u8, other: u8) {
        prop_assume!(key != other);
        let token = links(key).sign(&run, at(1000)).unwrap();
        prop_assert_eq!(opened(&links(other), &token, at(0)), Err(BadLink::Forged));
        let renewed = links(key).renewed(LinkKey::new([other; 32]), at(5));
        prop_assert_eq!(opened(&renewed, &token, at(0)), Err(BadLink::Forged));
    }

    #[test]
    fn a_revoked_run_is_opened_by_no_link_and_another_by_its_own(run in runs(), other in runs()) {
        prop_assume!(run != other);
        let before = links(1);
        let (token, theirs) = (before.sign(&run, at(1000)).unwrap(), before.sign(&other, at(1000)).unwrap());
        let revoked = before.without(&run, at(1));
        prop_assert_eq!(opened(&revoked, &token, at(2)), Err(BadLink::Revoked));
        prop_assert_eq!(opened(&revoked, &theirs, at(2)), Ok(other));
        // Neither later mails, nor a new key, nor being revoked again bring it back.
        let still = revoked.without(&run, at(9)).renewed(LinkKey::new([2; 32]), at(10));
        prop_assert_eq!(still.sign(&run, at(1000)), None);
        prop_assert_eq!(still.revoked.get(&run), Some(&at(1)));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..120), now: i64) {
        let now = Timestamp::from_millis(now);
        prop_assert!(opened(&links(1), &text, now).is_err());
        prop_assert!(opened(&links(1), &URL_SAFE_NO_PAD.encode(bytes), now).is_err());
    }
}
