mod agreement;
mod drawn_regions;
mod methods;
