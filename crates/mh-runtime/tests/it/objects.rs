//! Functions and the like: told once to each worker that needs them, told again to its successor, and forgotten.

use mh_runtime::{JobOptions, JobSpec, ObjectId, Payload, Pool};

use crate::support::{collect, items, pool, submit, text, tolerant};
use crate::worker::TOLD;

fn told(pool: &Pool, function: ObjectId, needs: &[ObjectId], count: usize) -> Vec<String> {
    let spec = JobSpec { options: tolerant(), function: Some(function), ..JobSpec::default() };
    let job = pool.open(spec);
    pool.add_needs(job, needs);
    pool.feed(job, items(vec!["told"; count]), true);
    collect(pool, job).0.values().map(text).collect()
}

fn object(pool: &Pool, bytes: &str) -> ObjectId {
    pool.add_object(TOLD, Payload { bytes: bytes.into(), ..Payload::default() })
}

#[test]
fn a_function_is_told_once_to_a_worker() {
    let pool = pool(1);
    let f = object(&pool, "f");
    assert_eq!(told(&pool, f, &[], 50), vec!["f of 1"; 50]);
    assert_eq!(told(&pool, f, &[], 50), vec!["f of 1"; 50]);
    let g = object(&pool, "g");
    assert_ne!(f, g);
    assert_eq!(told(&pool, g, &[f], 3), vec!["g of 2"; 3]);
}

#[test]
fn what_is_forgotten_is_forgotten_by_the_workers_too() {
    let pool = pool(1);
    let (f, g) = (object(&pool, "f"), object(&pool, "g"));
    assert_eq!(told(&pool, f, &[g], 1), ["f of 2"]);
    pool.forget(&[f]);
    assert_eq!(told(&pool, g, &[], 1), ["g of 1"]);
    assert_eq!(told(&pool, f, &[], 1), ["nothing of 1"]);
}

#[test]
fn a_replacement_is_told_what_its_items_need_and_no_more() {
    let pool = pool(1);
    let (f, g) = (object(&pool, "f"), object(&pool, "g"));
    pool.set_first(&[], false);
    assert_eq!(told(&pool, f, &[g], 1), ["f of 2"]);
    collect(&pool, submit(&pool, JobOptions::default(), items(["kill"])));
    assert_eq!(told(&pool, g, &[], 1), ["g of 1"]);
}

#[test]
fn what_comes_first_comes_to_every_worker() {
    let pool = pool(1);
    let surroundings = object(&pool, "surroundings");
    pool.set_first(&[surroundings], false);
    collect(&pool, submit(&pool, JobOptions::default(), items(["kill"])));
    assert_eq!(told(&pool, surroundings, &[], 1), ["surroundings of 1"]);
    pool.forget(&[surroundings]);
    collect(&pool, submit(&pool, JobOptions::default(), items(["kill"])));
    let f = object(&pool, "f");
    assert_eq!(told(&pool, f, &[], 1), ["f of 1"]);
}
