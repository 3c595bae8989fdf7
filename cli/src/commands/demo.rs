//! `dropscope demo`: the whole flow, on a generated recording with known truth.

use crate::args::Demo;
use crate::cloud::Embedded;
use crate::failure::Failure;
use dropscope_local::Worker;
use dropscope_pipeline::{Job, ObjectKey, State};
use dropscope_ports::{Select, upload};
use dropscope_testkit::movie::score::{Score, found};
use dropscope_testkit::movie::{Movie, Scene};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const KEY: &str = "recordings/demo/zebrafish.tif";
/// A demo that takes longer than this has lost its worker.
const LONGEST: Duration = Duration::from_secs(600);

pub(super) fn demo(args: &Demo) -> Result<(), Failure> {
    let folder = args.out.clone().unwrap_or_else(free_folder);
    super::runtime()?.block_on(walk(&folder, args.seed))
}

/// `dropscope-demo`, or the first such name that is free: no earlier demo is touched.
fn free_folder() -> PathBuf {
    let first = PathBuf::from("dropscope-demo");
    let others = (2u32..).map(|n| PathBuf::from(format!("dropscope-demo-{n}")));
    std::iter::once(first.clone()).chain(others).find(|p| !p.exists()).unwrap_or(first)
}

async fn walk(folder: &Path, seed: u64) -> Result<(), Failure> {
    let began = Instant::now();
    let program = std::env::current_exe().map_err(|error| Failure::failed(&error, "start the program by its full path"))?;
    let unusable = |error: std::io::Error| super::run::unwritable(folder, &error);
    std::fs::create_dir_all(folder).map_err(unusable)?;
    let folder = &folder.canonicalize().map_err(unusable)?;
    let arguments = vec!["segment".into(), "--bucket-folder".into(), folder.to_string_lossy().into_owned()];
    let worker = Worker { program, arguments, shares_terminal: true };
    let mut embedded = Embedded::open(folder, worker, 1).map_err(unusable)?;
    let movie = deliver(folder, seed, &embedded).await?;
    let job = finish(&mut embedded).await?;
    report(folder, &movie, &job, &embedded, began).await
}

/// Generates the recording and uploads it: the event that starts everything.
async fn deliver(folder: &Path, seed: u64, embedded: &Embedded) -> Result<Movie, Failure> {
    let scene = Scene { seed, ..Scene::default() };
    println!("generating    {} frames of {} x {} pixels, {} planted cells", scene.frames, scene.height, scene.width, scene.cells);
    let movie = scene.generate().map_err(|error| Failure::failed(&error, "choose another --seed"))?;
    let file = folder.join(".dropscope").join("zebrafish.tif");
    let write = || -> Result<(), Box<dyn std::error::Error>> { Ok(movie.write_tiff(BufWriter::new(File::create(&file)?))?) };
    write().map_err(|error| Failure::failed(&*error, "make room on the disk"))?;
    let key = ObjectKey::raw(KEY);
    upload::file(&*embedded.world.objects, &key, &file)
        .await
        .map_err(|error| Failure::failed(&error, "make room on the disk"))?;
    // What was uploaded is in the bucket; this copy has served.
    let _ = std::fs::remove_file(&file);
    println!("uploaded      {KEY}");
    Ok(movie)
}

/// Turns the cloud until the run is over and told.
async fn finish(embedded: &mut Embedded) -> Result<Job, Failure> {
    let (began, mut shown) = (Instant::now(), "");
    loop {
        embedded.cloud.turn().await.map_err(|error| Failure::failed(&error, "look at the log of the run"))?;
        let jobs = dropscope_jobs::list_jobs(&*embedded.world.objects).await;
        let jobs = jobs.map_err(|error| Failure::failed(&error, "look at the folder's state/"))?;
        let job = jobs.into_iter().max_by_key(|job| job.received_at);
        if let Some(job) = job {
            if job.state.word() != shown {
                shown = job.state.word();
                println!("{shown:<13} run {}, attempt {}", job.run, job.attempt);
            }
            if job.closed {
                return Ok(job);
            }
        }
        if began.elapsed() > LONGEST {
            return Err(Failure::Failed {
                cause: format!("the run is `{shown}` after {LONGEST:?}"),
                remedy: "look at its log.txt".into(),
            });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn report(folder: &Path, movie: &Movie, job: &Job, embedded: &Embedded, began: Instant) -> Result<(), Failure> {
    let State::Done(outcome) = &job.state else {
        return Err(Failure::Failed {
            cause: format!("the run is `{}`", job.state.word()),
            remedy: format!("read the mail in {}/mail", folder.display()),
        });
    };
    let results = job.results().unwrap_or(ObjectKey::raw(""));
    let score = compare(movie, &results, embedded).await?;
    println!();
    println!(
        "found         {} of {} planted cells ({} %), {} more ROIs taken for cells",
        score.found,
        score.planted,
        percent(&score),
        score.false_positives
    );
    println!("motion        up to {:.1} pixels, removed", outcome.largest_shift_px);
    println!("took          {:.1} s in all, {:.1} s of it segmentation", began.elapsed().as_secs_f64(), outcome.seconds);
    println!("mail          {}/mail/{}.done.eml", folder.display(), job.run);
    println!("figure        {}/{results}figure.png", folder.display());
    println!("results       {}/{results}", folder.display());
    println!("report        {}/{results}report.html", folder.display());
    Ok(())
}

fn percent(score: &Score) -> usize {
    100 * score.found / score.planted.max(1)
}

/// Compares the cells of the results, as any reader of the files would find them, with the planted ones.
async fn compare(movie: &Movie, results: &ObjectKey, embedded: &Embedded) -> Result<Score, Failure> {
    let read = async |name: &str| -> Result<String, Failure> {
        let object = embedded.world.objects.get(&results.child(name), &Select::default()).await;
        let object = object.map_err(|error| Failure::failed(&error, "look at the results' folder"))?;
        Ok(String::from_utf8_lossy(&object.bytes).into_owned())
    };
    let cells = cells_of(&read("rois.csv").await?);
    let masks = masks_of(&read("pixels.csv").await?, &cells);
    Ok(found(&movie.truth, &masks))
}

/// The value of a named column in each line of a CSV table of plain figures.
fn column<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let mut lines = table.lines();
    let at = lines.next().and_then(|header| header.split(',').position(|column| column == name));
    at.map(|at| lines.filter_map(|line| line.split(',').nth(at)).collect()).unwrap_or_default()
}

/// Which ROIs are taken for cells.
fn cells_of(rois: &str) -> Vec<bool> {
    column(rois, "cell").into_iter().map(|cell| cell == "1").collect()
}

/// The pixels of every ROI that is taken for a cell.
fn masks_of(pixels: &str, cells: &[bool]) -> Vec<(Vec<u32>, Vec<u32>)> {
    let mut masks = vec![(Vec::new(), Vec::new()); cells.len()];
    let rows = column(pixels, "roi").into_iter().zip(column(pixels, "y")).zip(column(pixels, "x"));
    for ((roi, y), x) in rows {
        if let (Ok(roi), Ok(y), Ok(x)) = (roi.parse::<usize>(), y.parse(), x.parse())
            && let Some((ypix, xpix)) = masks.get_mut(roi)
        {
            ypix.push(y);
            xpix.push(x);
        }
    }
    masks.into_iter().zip(cells).filter(|(_, cell)| **cell).map(|(mask, _)| mask).collect()
}
