//! JSON, CSV and one HTML page.
