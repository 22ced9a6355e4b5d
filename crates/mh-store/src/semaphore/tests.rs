use super::*;

const SOON: Option<Duration> = Some(Duration::from_millis(20));

#[test]
fn counts_down_and_up() {
    let semaphore = Semaphore::create(2).unwrap();
    assert_eq!((semaphore.take(None), semaphore.take(SOON), semaphore.value()), (Taken::Yes, Taken::Yes, 0));
    assert_eq!(semaphore.take(Some(Duration::ZERO)), Taken::No);
    assert_eq!(semaphore.take(SOON), Taken::No);
    assert!(semaphore.release(2) && semaphore.release(2));
    assert!(!semaphore.release(2));
    assert_eq!(semaphore.value(), 2);
}

#[test]
fn wakes_who_waits() {
    let semaphore = Arc::new(Semaphore::create(0).unwrap());
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let semaphore = semaphore.clone();
            std::thread::spawn(move || semaphore.take(None))
        })
        .collect();
    for _ in 0..4 {
        assert!(semaphore.release(u32::MAX));
    }
    for thread in waiting {
        assert_eq!(thread.join().unwrap(), Taken::Yes);
    }
    assert_eq!(semaphore.value(), 0);
}

#[test]
fn a_lost_wake_up_is_made_good() {
    // The releaser that sees no sleeper wakes nobody, as if the one whom it woke had been killed.
    let semaphore = Arc::new(Semaphore::create(0).unwrap());
    let waiting = {
        let semaphore = semaphore.clone();
        std::thread::spawn(move || semaphore.take(None))
    };
    while semaphore.cell().sleepers.load(SeqCst) == 0 {
        std::thread::yield_now();
    }
    semaphore.cell().value.store(1, SeqCst);
    assert_eq!(waiting.join().unwrap(), Taken::Yes);
}

#[test]
fn is_found_by_descriptor_and_place() {
    let first = Semaphore::create(1).unwrap();
    let second = Semaphore::create(7).unwrap();
    let again = Semaphore::open(second.fd().try_clone_to_owned().unwrap(), second.place()).unwrap();
    assert_eq!(again.take(None), Taken::Yes);
    assert_eq!((first.value(), second.value()), (1, 6));
    // Mapped anew, as in another process.
    let mapped = File::map(second.fd().try_clone_to_owned().unwrap()).unwrap();
    assert_eq!(mapped.cell(second.place()).value.load(SeqCst), 6);
    assert!(Semaphore::open(second.fd().try_clone_to_owned().unwrap(), IN_A_FILE).is_err());
    let other = rustix::fs::memfd_create("other", MemfdFlags::CLOEXEC).unwrap();
    assert!(Semaphore::open(other, 0).is_err());
}

#[test]
fn more_than_fit_in_a_file() {
    let made: Vec<_> = (0..IN_A_FILE as u32 + 10).map(|value| Semaphore::create(value).unwrap()).collect();
    assert!(made.iter().enumerate().all(|(n, semaphore)| semaphore.value() == n as u32));
}

#[test]
fn excludes() {
    let lock = Arc::new(Semaphore::create(1).unwrap());
    let inside = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (lock, inside) = (lock.clone(), inside.clone());
            std::thread::spawn(move || {
                for _ in 0..2000 {
                    while lock.take(None) != Taken::Yes {}
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    inside.fetch_sub(1, SeqCst);
                    assert!(lock.release(1));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
