//! Places on the picture as it would be with its text level and upright.

use documents::Place;
use pictures::Picture;

use crate::geometry::{Point, Slant};
use crate::num;

/// How a picture is turned so that its text is level and upright.
pub(crate) struct Level {
    /// Of the picture.
    middle: Point,
    /// Of the turned picture.
    new_middle: Point,
    along: Point,
}

impl Level {
    pub(crate) fn of(picture: &Picture, slants: &[Slant], direction: Point) -> Self {
        let (width, height) = (num::real(picture.width()), num::real(picture.height()));
        // the longer a line, the better its direction is known
        let mut leans: Vec<(f32, f32)> = slants
            .iter()
            .filter(|slant| slant.is_long())
            .map(|slant| {
                let lean =
                    (direction.x * slant.along.y - direction.y * slant.along.x).atan2(slant.along.dot(direction));
                (lean, slant.length)
            })
            .collect();
        leans.sort_by(|one, other| one.0.total_cmp(&other.0));
        let half = leans.iter().map(|(_, length)| length).sum::<f32>() / 2.0;
        let mut sum = 0.0;
        let middle = leans.iter().find(|(_, length)| {
            sum += length;
            sum >= half
        });
        let (sin, cos) = middle.map_or(0.0, |(lean, _)| *lean).sin_cos();
        let along = Point::new(direction.x * cos - direction.y * sin, direction.y * cos + direction.x * sin);
        let lies = direction.x.abs() < direction.y.abs();
        let (new_width, new_height) = if lies { (height, width) } else { (width, height) };
        Self {
            middle: Point::new(width / 2.0, height / 2.0),
            new_middle: Point::new(new_width / 2.0, new_height / 2.0),
            along,
        }
    }

    pub(crate) fn place(&self, slant: &Slant) -> Place {
        let from_middle = Point::new(slant.middle.x - self.middle.x, slant.middle.y - self.middle.y);
        let down = Point::new(-self.along.y, self.along.x);
        let (x, y) = (from_middle.dot(self.along) + self.new_middle.x, from_middle.dot(down) + self.new_middle.y);
        Place {
            left: num::place(x - slant.length / 2.0),
            top: num::place(y - slant.height / 2.0),
            width: num::place(slant.length),
            height: num::place(slant.height),
        }
    }
}
