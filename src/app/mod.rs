//! The foreground half, without egui: what is known and chosen.
