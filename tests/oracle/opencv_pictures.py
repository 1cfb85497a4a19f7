"""Small drawn pictures in every format and mode, and what OpenCV and Pillow make of them.

Made with Python 3.11.7, opencv-python-headless 4.14.0.94, pillow 13.0.0, numpy 2.4.6
(opencv-python-headless 5.0.0.93 gives the same numbers).
Run beside this file: python opencv_pictures.py

Writes the pictures into ../fixtures/pictures/, and here opencv_pictures.png (48 columns; each 48
rows are one expected picture) with opencv_pictures.json, which names them in that order:

- kind "file": cv2.imread(file, IMREAD_COLOR), cvtColor BGR2GRAY, resize to 48x48 INTER_LINEAR.
  Where "decoded_by" says pillow, Pillow's convert("RGB") stands in for imread: cv2 fails on a TIFF
  that is to be turned by a quarter, and does not scale a PNM file whose white is 100.
- kind "formula": the same steps on a colour picture of the given size that comes from integer
  formulas (`formula` below), repeated exactly by crates/fer-data/tests/pictures.rs.
- kind "antialiased": the grey picture of the same formulas resized by Pillow's BILINEAR, which is a
  triangle filter as wide as the scale.
- kind "grey": BGR2GRAY alone, of 48x48 colours spread over the colour cube.
"""

import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).parent
FOLDER = HERE.parent / "fixtures" / "pictures"
SIZES = [(48, 48), (60, 50), (100, 75), (640, 490), (37, 20), (1, 1), (96, 96), (96, 48), (95, 97), (1, 100), (200, 3)]
BY_PILLOW = ["orientation6.tiff", "grey_of_100.pgm"]
REFUSED = ["claims_60000.png", "rgb32f.tiff", "palette8.tiff"]
ANTIALIASED = [(60, 50), (100, 75), (640, 490), (37, 20), (1, 1), (96, 96), (500, 31)]


def formula(width, height):
    """(height, width, 3) uint8, red green blue: waves with a rough grain, no two corners alike."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    red = (x * x * 3 + y * 7) % 256
    green = (x * 5 + y * y) // 3 % 256
    blue = ((x + 2 * y) * 11 % 256 + (x * y) % 97) % 256
    return np.stack([red, green, blue], -1).astype(np.uint8)


def cube():
    """48x48 colours spread over the whole cube, red green blue."""
    number = np.arange(48 * 48, dtype=np.int64) * 2654435761 % (1 << 24)
    return np.stack([number >> 16, number >> 8 & 255, number & 255], -1).astype(np.uint8).reshape(48, 48, 3)


def scene(width=60, height=50):
    """A smooth drawing, red green blue: a ball on a slope, the top right corner bright."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    ball = np.exp(-(((x - width * 0.4) / (width * 0.2)) ** 2 + ((y - height * 0.6) / (height * 0.25)) ** 2))
    red = 40 + 120 * x / width + 80 * ball
    green = 30 + 90 * y / height + 110 * ball
    blue = 90 + 60 * (1 - x / width) * (y / height)
    picture = np.stack([red, green, blue], -1)
    picture[: height // 6, -(width // 6) :] = (250, 240, 230)
    return np.clip(picture, 0, 255).astype(np.uint8)


def fine(values):
    """16-bit values whose upper byte is the given one; the lower varies by place."""
    y, x = np.indices(values.shape[:2])
    lower = ((x * 37 + y * 91) % 256).astype(np.uint16)
    return (values.astype(np.uint16) << 8) | lower.reshape(lower.shape + (1,) * (values.ndim - 2))


def tiled(rgb):
    """The expected 48x48 grey values of a picture in memory."""
    grey = cv2.cvtColor(np.ascontiguousarray(rgb[..., ::-1]), cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, (48, 48), interpolation=cv2.INTER_LINEAR)


def write_png():
    rgb = scene()
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    alpha = (np.indices((50, 60))[1] * 4 % 256).astype(np.uint8)
    Image.fromarray(grey).save(FOLDER / "grey8.png")
    Image.fromarray(grey > 110).save(FOLDER / "grey1.png")
    cv2.imwrite(str(FOLDER / "grey16.png"), fine(grey))
    Image.fromarray(np.stack([grey, alpha], -1), "LA").save(FOLDER / "grey_alpha8.png")
    Image.fromarray(rgb).save(FOLDER / "rgb8.png")
    cv2.imwrite(str(FOLDER / "rgb16.png"), fine(rgb[..., ::-1]))
    rgba = np.concatenate([rgb, alpha[..., None]], -1)
    Image.fromarray(rgba).save(FOLDER / "rgba8.png")
    cv2.imwrite(str(FOLDER / "rgba16.png"), fine(rgba[..., [2, 1, 0, 3]]))
    palette = Image.fromarray(rgb).quantize(200, dither=0)
    palette.save(FOLDER / "palette8.png")
    palette.save(FOLDER / "palette8_transparent.png", transparency=bytes(range(0, 200)))
    Image.fromarray(rgb).quantize(13, dither=0).save(FOLDER / "palette4.png")
    exif = Image.Exif()
    exif[0x112] = 6
    Image.fromarray(rgb).save(FOLDER / "orientation6.png", exif=exif)
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(64))), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)
    (FOLDER / "claims_60000.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def write_jpeg():
    rgb = scene()
    image = Image.fromarray(rgb)
    image.convert("L").save(FOLDER / "grey8.jpg", quality=92)
    image.save(FOLDER / "rgb8.jpg", quality=92, subsampling=0)
    image.save(FOLDER / "rgb8_420.jpg", quality=92, subsampling=2)
    image.save(FOLDER / "rgb8_progressive.jpg", quality=92, subsampling=0, progressive=True)
    image.convert("CMYK").save(FOLDER / "cmyk8.jpg", quality=92)
    small = Image.fromarray(scene(40, 24)).convert("L")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        small.save(FOLDER / f"orientation{orientation}.jpg", quality=95, exif=exif)


def write_others():
    rgb = scene()
    image = Image.fromarray(rgb)
    grey = image.convert("L")
    alpha = (np.indices((50, 60))[1] * 4 % 256).astype(np.uint8)
    rgba = Image.fromarray(np.concatenate([rgb, alpha[..., None]], -1))
    palette = image.quantize(60, dither=0)
    image.save(FOLDER / "rgb8.bmp")
    grey.save(FOLDER / "grey8.bmp")
    palette.save(FOLDER / "palette8.bmp")
    rgba.save(FOLDER / "rgba8.bmp")
    palette.save(FOLDER / "palette8.gif")
    other = Image.fromarray(255 - rgb).quantize(60, dither=0)
    palette.save(FOLDER / "animated.gif", save_all=True, append_images=[other], duration=100)
    image.save(FOLDER / "rgb8.webp", lossless=True, exact=True)
    image.save(FOLDER / "rgb8_lossy.webp", quality=92)
    rgba.save(FOLDER / "rgba8.webp", lossless=True, exact=True)
    image.save(FOLDER / "animated.webp", save_all=True, append_images=[Image.fromarray(255 - rgb)], lossless=True)
    image.save(FOLDER / "rgb8.tiff")
    image.save(FOLDER / "rgb8_lzw.tiff", compression="tiff_lzw")
    image.save(FOLDER / "rgb8_deflate.tiff", compression="tiff_adobe_deflate")
    grey.save(FOLDER / "grey8.tiff", compression="packbits")
    image.convert("CMYK").save(FOLDER / "cmyk8.tiff", compression="tiff_lzw")
    palette.save(FOLDER / "palette8.tiff", compression="tiff_lzw")
    image.save(FOLDER / "orientation6.tiff", tiffinfo={274: 6}, compression="tiff_lzw")
    cv2.imwrite(str(FOLDER / "rgb16.tiff"), fine(rgb[..., ::-1]))
    cv2.imwrite(str(FOLDER / "grey16.tiff"), fine(rgb[..., 1]))
    small = scene(20, 16)
    cv2.imwrite(str(FOLDER / "rgb32f.tiff"), small[..., ::-1].astype(np.float32) / 255)
    shades = small[..., 1]
    write_pnm("grey1.pbm", b"P4\n20 16\n", np.packbits(shades < 90, axis=1).tobytes())
    write_pnm("grey1_text.pbm", b"P1\n20 16\n", text(shades < 90))
    write_pnm("grey8.pgm", b"P5\n20 16\n255\n", shades.tobytes())
    write_pnm("grey8_text.pgm", b"P2\n# drawn\n20 16\n255\n", text(shades))
    write_pnm("rgb8.ppm", b"P6\n20 16\n255\n", small.tobytes())
    write_pnm("rgb8_text.ppm", b"P3\n20 16\n255\n", text(small))
    write_pnm("grey16.pgm", b"P5\n20 16\n65535\n", (shades.astype(">u2") * 256 + 200).astype(">u2").tobytes())
    write_pnm("grey_of_100.pgm", b"P5\n20 16\n100\n", (shades // 3).tobytes())


def write_pnm(name, header, body):
    (FOLDER / name).write_bytes(header + body)


def text(values):
    return b"\n".join(b" ".join(b"%d" % value for value in row) for row in values.reshape(len(values), -1)) + b"\n"


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_png()
    write_jpeg()
    write_others()
    cases, tiles = [], []
    for path in sorted(FOLDER.iterdir()):
        if path.name in REFUSED:
            continue
        if path.name in BY_PILLOW:
            rgb, by = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB")), "pillow"
        else:
            rgb, by = cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1], "opencv"
        cases.append({"kind": "file", "name": path.name, "decoded_by": by})
        tiles.append(tiled(rgb))
    for width, height in SIZES:
        cases.append({"kind": "formula", "width": width, "height": height})
        tiles.append(tiled(formula(width, height)))
    for width, height in ANTIALIASED:
        grey = cv2.cvtColor(formula(width, height), cv2.COLOR_RGB2GRAY)
        cases.append({"kind": "antialiased", "width": width, "height": height})
        tiles.append(np.asarray(Image.fromarray(grey).resize((48, 48), Image.Resampling.BILINEAR)))
    cases.append({"kind": "grey"})
    tiles.append(cv2.cvtColor(cube(), cv2.COLOR_RGB2GRAY))
    Image.fromarray(np.concatenate(tiles)).save(HERE / "opencv_pictures.png", optimize=True)
    (HERE / "opencv_pictures.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
