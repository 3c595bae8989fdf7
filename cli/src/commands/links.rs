//! `dropscope links`: since when the links of mails are signed by one key, and which runs none opens.

use super::results::{parse, unknown};
use crate::args::{LinkChange, Links};
use crate::failure::Failure;
use crate::place::Place;
use crate::text;
use dropscope_pipeline::{Links as Signed, RunId};
use dropscope_ports::Clock;
use dropscope_ports::clock::SystemClock;

pub(super) fn links(args: &Links) -> Result<(), Failure> {
    super::runtime()?.block_on(async {
        let place = Place::open(&args.place).await?;
        let signed = match &args.change {
            Some(LinkChange::Revoke { run }) => Some(revoke(&place, run.as_deref()).await?),
            None => dropscope_jobs::find_links(&**place.objects()).await.map_err(|error| place.unreadable(error))?,
        };
        text::say(&if args.json { json(signed.as_ref()).to_string() } else { screen(signed.as_ref()) })
    })
}

/// Of a run that is there: a slip in its name must not look like a link that is void.
async fn revoke(place: &Place, run: Option<&str>) -> Result<Signed, Failure> {
    let (store, unreadable) = (&**place.objects(), |error| place.unreadable(error));
    let run: Option<RunId> = run.map(parse).transpose()?;
    if let Some(run) = &run
        && dropscope_jobs::find_job(store, run).await.map_err(unreadable)?.is_none()
    {
        return Err(unknown(run));
    }
    dropscope_jobs::revoke_links(store, run.as_ref(), SystemClock.now()).await.map_err(unreadable)
}

fn screen(links: Option<&Signed>) -> String {
    let Some(links) = links else { return "key        none: no link was ever signed here".to_owned() };
    let mut lines = vec![format!("key        made {}; links of before open nothing", links.made_at)];
    lines.push(match links.revoked.len() {
        0 => "revoked    no run".to_owned(),
        n => format!("revoked    {}", dropscope_pipeline::mail::counted(n, "run")),
    });
    lines.extend(links.revoked.iter().map(|(run, since)| format!("           {run}  since {since}")));
    lines.join("\n")
}

/// Without the key: what is shown must not sign.
fn json(links: Option<&Signed>) -> serde_json::Value {
    let (made_at, revoked) = links.map(|links| (links.made_at, &links.revoked)).unzip();
    serde_json::json!({ "key_made_at": made_at, "revoked": revoked })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dropscope_pipeline::Timestamp;
    use dropscope_pipeline::link::LinkKey;

    #[test]
    fn what_is_revoked_is_shown_and_the_key_is_not() {
        assert!(screen(None).contains("no link was ever signed"));
        assert_eq!(json(None), serde_json::json!({ "key_made_at": null, "revoked": null }));
        let (run, at) = ("0123456789abcdef-2".parse().unwrap(), Timestamp::from_millis(0));
        let links = Signed::new(LinkKey::new([0xa5; 32]), at).without(&run, at.plus_seconds(60));
        let shown = screen(Some(&links));
        assert_eq!(
            shown,
            "key        made 1970-01-01T00:00:00Z; links of before open nothing\n\
             revoked    1 run\n           0123456789abcdef-2  since 1970-01-01T00:01:00Z"
        );
        let json = json(Some(&links));
        assert_eq!(json["revoked"]["0123456789abcdef-2"], "1970-01-01T00:01:00Z");
        assert!(!json.to_string().contains("a5a5") && !shown.contains("a5a5"));
    }
}
