//! Columns for a terminal.

/// Columns as wide as their widest cell, two spaces between them. What a cell says may be a server's words: it begins no
/// line of its own, and steers no terminal.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let readable = |row: &Vec<String>| row.iter().map(|cell| telemetry::readable(cell)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(readable).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell: &String| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
