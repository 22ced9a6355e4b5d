//! What is written is read back; what is cut short is refused, never taken for something else.

use proptest::prelude::*;

use super::*;

fn any_object() -> impl Strategy<Value = Object> {
    (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(segment, offset, len)| Object {
        segment: SegmentId(segment),
        offset,
        len,
    })
}

fn any_parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..20)
}

fn parts_of(list: &[Vec<u8>]) -> Parts {
    let mut parts = Parts::default();
    for part in list {
        parts.bytes.extend_from_slice(part);
        parts.end_part();
    }
    parts
}

fn written(parts: &Parts, from: usize, to: usize) -> Vec<u8> {
    let (mut lengths, mut bytes) = (Vec::new(), Vec::new());
    parts.write_lengths(from, to, &mut lengths);
    bytes.extend_from_slice(parts.bytes_of(from, to));
    [lengths, bytes].concat()
}

/// The body of what `write` writes.
fn body(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut frame = Writer::new(Kind::Results, 0);
    write(&mut frame);
    frame.finish().split_off(HEADER)
}

fn any_run() -> impl Strategy<Value = Run> {
    (any::<[u64; 10]>(), any::<bool>()).prop_map(|(numbers, failed)| {
        let [first, count, arrived, begun, called, returned, ended, cpu, bytes_in, bytes_out] = numbers;
        Run { first, count, arrived, begun, called, returned, ended, cpu, bytes_in, bytes_out, failed }
    })
}

proptest! {
    #[test]
    fn any_run_of_parts_is_read_back(list in any_parts(), cut in any::<(usize, usize)>()) {
        let parts = parts_of(&list);
        let from = cut.0 % (list.len() + 1);
        let to = from + cut.1 % (list.len() - from + 1);
        let bytes = written(&parts, from, to);
        let mut reader = Reader::new(&bytes);
        let read = Parts::read(&mut reader, to - from).expect("it is all there");
        prop_assert!(reader.rest().is_empty());
        prop_assert_eq!(read.len(), to - from);
        for (index, part) in list[from..to].iter().enumerate() {
            prop_assert_eq!(read.part(index), part.as_slice());
        }
    }

    #[test]
    fn parts_cut_short_are_refused(list in any_parts(), cut in any::<usize>()) {
        let bytes = written(&parts_of(&list), 0, list.len());
        prop_assume!(!bytes.is_empty());
        prop_assert!(Parts::read(&mut Reader::new(&bytes[..cut % bytes.len()]), list.len()).is_none());
    }

    #[test]
    fn a_results_head_is_read_back_and_refused_when_cut(
        numbers in any::<(u64, u32, u64)>(),
        failed in prop::collection::vec(any::<u32>(), 0..5),
        objects in prop::collection::vec(any_object(), 0..5),
        released in prop::collection::vec((any_object(), any::<u32>()), 0..5),
        runs in prop::collection::vec(any_run(), 0..5),
        cut in any::<usize>(),
    ) {
        let (message, count, busy) = numbers;
        let head = ResultsHead { message, count, busy, failed, objects, released, runs };
        let bytes = body(|frame| head.write(frame));
        let read = ResultsHead::read(&mut Reader::new(&bytes)).expect("it is all there");
        prop_assert_eq!(format!("{read:?}"), format!("{head:?}"));
        prop_assert!(ResultsHead::read(&mut Reader::new(&bytes[..cut % bytes.len()])).is_none());
    }

    #[test]
    fn a_batch_head_is_read_back_and_refused_when_cut(
        numbers in any::<(u64, u8, u16, u64, u64)>(),
        more in any::<(u32, bool, bool, u64)>(),
        tag in prop::collection::vec(any::<u8>(), 0..30),
        descriptors in prop::collection::vec(any::<(u32, u32)>(), 0..5),
        cut in any::<usize>(),
    ) {
        let (message, slot, generation, job, first) = numbers;
        let (count, timed, traced, function) = more;
        let (message, job) = (MessageId(message), JobId(job));
        let head = BatchHead { message, slot, generation, job, first, count, timed, traced, function, tag, descriptors };
        let bytes = body(|frame| head.write(frame));
        let read = BatchHead::read(&mut Reader::new(&bytes)).expect("it is all there");
        prop_assert_eq!(format!("{read:?}"), format!("{head:?}"));
        prop_assert!(BatchHead::read(&mut Reader::new(&bytes[..cut % bytes.len()])).is_none());
    }

    /// A worker's memory may be in any state: whatever it sends is read or refused, and nothing else.
    #[test]
    fn nothing_that_is_read_can_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0usize..100) {
        let _ = Header::decode(&bytes);
        let _ = ResultsHead::read(&mut Reader::new(&bytes));
        let _ = BatchHead::read(&mut Reader::new(&bytes));
        let _ = Parts::read(&mut Reader::new(&bytes), count);
        let _ = read_released(&mut Reader::new(&bytes));
    }
}

#[test]
fn a_header_tells_kind_and_length() {
    let mut frame = Writer::new(Kind::Segment, 1);
    frame.u64(3).u8(4);
    let frame = frame.finish();
    let header = Header::decode(&frame).expect("a header");
    assert_eq!((header.kind, header.length), (Kind::Segment, 9));
    assert_eq!(frame.len(), HEADER + 9);
    assert!(Header::decode(&frame[..HEADER - 1]).is_none());
}

#[test]
fn each_kind_has_a_number_of_its_own() {
    let kinds: Vec<Kind> = (0..100).filter_map(Kind::from_u32).collect();
    assert_eq!(kinds.len(), 14);
    assert!(kinds.iter().all(|kind| Kind::from_u32(*kind as u32) == Some(*kind)));
}

#[test]
fn lengths_that_overflow_are_refused() {
    let bytes = [u32::MAX.to_le_bytes(), 2u32.to_le_bytes()].concat();
    assert!(Parts::read(&mut Reader::new(&bytes), 2).is_none());
    assert!(Parts::read(&mut Reader::new(&bytes), usize::MAX).is_none());
}
