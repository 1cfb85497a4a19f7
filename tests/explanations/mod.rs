mod drawn_regions;
mod methods;
