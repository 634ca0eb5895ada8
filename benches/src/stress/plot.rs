//! The resident set over time, as a picture.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

/// Draws `curve` (milliseconds, MiB) into an SVG file, with a line at the moment when the program let go.
///
/// # Errors
/// When the file cannot be written.
pub fn draw(path: &Path, curve: &[(usize, usize)], dropped_at: usize) -> Result<()> {
    let end = curve.last().map_or(1, |(at, _)| *at).max(1) as f64 / 1e3;
    let top = curve.iter().map(|(_, mib)| *mib).max().unwrap_or(1).max(1) as f64 * 1.05;
    let points = || curve.iter().map(|(at, mib)| (*at as f64 / 1e3, *mib as f64));
    let let_go = dropped_at as f64 / 1e3;
    let picture = || -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::new(path, (900, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(16)
            .x_label_area_size(40)
            .y_label_area_size(64)
            .caption("A spike, and a program that is quiet from the dashed line on", ("sans-serif", 18))
            .build_cartesian_2d(0.0..end, 0.0..top)?;
        chart.configure_mesh().x_desc("seconds").y_desc("resident set, MiB").light_line_style(WHITE).draw()?;
        chart.draw_series(AreaSeries::new(points(), 0.0, RGBColor(52, 101, 164).mix(0.25)))?;
        chart.draw_series(LineSeries::new(points(), RGBColor(52, 101, 164).stroke_width(2)))?;
        let dashes = (0..40).step_by(2).map(|n| {
            let at = |n: i32| (let_go, top * f64::from(n) / 40.0);
            PathElement::new(vec![at(n), at(n + 1)], BLACK.stroke_width(1))
        });
        chart.draw_series(dashes)?;
        area.present()?;
        Ok(())
    };
    picture().map_err(|error| anyhow!("the picture {} could not be drawn: {error}", path.display()))
}
