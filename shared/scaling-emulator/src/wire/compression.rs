//! Compressed request bodies: clients compress large `PutMetricData` calls.

use std::io::Read;

use axum::body::Bytes;
use flate2::read::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// The body as it was before the client compressed it. `None` for an encoding other than gzip, a body that is none, and
/// one that would be larger than `most` bytes.
pub fn expanded(headers: &HeaderMap, body: Bytes, most: usize) -> Option<Bytes> {
    let encoding = headers.get(CONTENT_ENCODING).map(|encoding| encoding.to_str().unwrap_or_default().trim());
    match encoding {
        None | Some("" | "identity") => Some(body),
        Some(name) if name.eq_ignore_ascii_case("gzip") => {
            let mut plain = Vec::new();
            let limit = u64::try_from(most).ok()?.checked_add(1)?;
            MultiGzDecoder::new(body.as_ref()).take(limit).read_to_end(&mut plain).ok()?;
            (plain.len() <= most).then(|| plain.into())
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip() -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, "gzip".parse().unwrap())])
    }

    fn compressed(body: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn a_compressed_body_is_expanded_and_a_plain_one_left_alone() {
        let body = b"{}".repeat(500);
        assert_eq!(expanded(&gzip(), compressed(&body), 1000).unwrap(), body);
        assert_eq!(expanded(&HeaderMap::new(), "{}".into(), 10).unwrap(), "{}");
    }

    #[test]
    fn what_cannot_be_expanded_or_grows_too_large_is_refused() {
        assert_eq!(expanded(&gzip(), "{}".into(), 1000), None);
        assert_eq!(expanded(&gzip(), compressed(&[0; 1001]), 1000), None);
        let brotli = HeaderMap::from_iter([(CONTENT_ENCODING, "br".parse().unwrap())]);
        assert_eq!(expanded(&brotli, "{}".into(), 1000), None);
    }
}
