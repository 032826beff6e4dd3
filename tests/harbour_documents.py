"""Documents of a made-up harbour: a report (PDF), a scanned notice, a handbook (Markdown), a list of boats, Arabic."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HANDBOOK = """# Handbook of the harbour

The harbour runs four pontoons. **All** fees are per month and due on the first.

| Plan | Boats | Price | Support |
| --- | --- | --- | --- |
| Small | 100 | 9 euros | mail |
| Medium | 1,000 | 29 euros | mail and chat |
| Large | 10,000 | 99 euros | telephone |

## Renting a berth

To rent a berth you need:

1. a valid passport
2. the papers of the *boat*
3. proof of insurance

## The relay

To start the relay of the north gate, run the following command:

```sh
relay start --gate north
relay status
```

## Words

Fender
: A cushion that hangs between the boat and the quay.

> The sea does not reward those who are too anxious.
"""
ARABIC = """# دليل الميناء

يفتح الميناء كل يوم في الساعة السادسة صباحا. رسوم المرسى أربعون دينارا في الشهر.
"""
HOSTILE = """# <img src=x onerror="document.title = 'hacked'"> Tides

The lock keeper of Marrow is <script>document.title = 'hacked'</script> Old Tom.

| Tide | <b>Height</b> |
| --- | --- |
| Spring tide | <img src=x onerror="document.title = 'hacked'"> 7 metres |

To reset the tide clock, run this:

```html
<script>document.title = "hacked"</script>
```
"""
BOATS = "Boat,Berth,Owner\nAurora,12,Ida Holm\nBella,14,Jon Vik\nCormorant,15,Mia Lund\n"
NOTICE = ("The east quay is closed", "from 4 March to 9 April.", "Boats move to the west quay.")


def write_harbour(folder: Path) -> Path:
    """Write all of them but the long report into `folder`, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("handbook.md").write_text(HANDBOOK, encoding="utf-8")
    folder.joinpath("arabic.md").write_text(ARABIC, encoding="utf-8")
    folder.joinpath("boats.csv").write_text(BOATS, encoding="utf-8")
    write_report(folder / "report.pdf")
    write_scan(folder / "notice.pdf")
    return folder


def write_report(path: Path) -> Path:
    """A report of three pages, with a table on the second."""
    styles = getSampleStyleSheet()
    rows = [
        ["Sort of vessel", "2024", "2025"],
        ["Fishing boats", "412", "398"],
        ["Ferries", "1,208", "1,344"],
        ["Sailing boats", "2,950", "3,105"],
    ]
    table = Table(rows, colWidths=[60 * mm, 30 * mm, 30 * mm])
    table.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.grey), ("ALIGN", (1, 0), (-1, -1), "RIGHT")]))
    story = [
        Paragraph("Annual report of the harbour", styles["Title"]),
        Paragraph("Summary", styles["Heading1"]),
        Paragraph(
            "The harbour was busier than in any year before. The new breakwater was finished in October 2025 at a cost of "
            "18.4 million euros, which is 0.6 million euros below the estimate of the engineers.",
            styles["BodyText"],
        ),
        Spacer(1, 6 * mm),
        Paragraph("Storms closed the entrance on eleven days. Nobody was hurt.", styles["BodyText"]),
        PageBreak(),
        Paragraph("Arrivals", styles["Heading1"]),
        Paragraph("Arrivals are counted at the light on the pier.", styles["BodyText"]),
        Spacer(1, 4 * mm),
        table,
        PageBreak(),
        Paragraph("Outlook", styles["Heading1"]),
        Paragraph("The council decides on a second crane in May 2026.", styles["BodyText"]),
    ]
    SimpleDocTemplate(str(path), pagesize=A4, title="Annual report of the harbour", invariant=1).build(story)
    return path


def write_scan(path: Path) -> Path:
    """A page that is only a picture of printed words."""
    picture = Image.new("L", (1240, 900), 255)
    font = ImageFont.load_default(size=54)
    for number, line in enumerate(NOTICE):
        ImageDraw.Draw(picture).text((120, 140 + 110 * number), line, fill=20, font=font)
    picture.save(path, "PDF", resolution=150)
    return path


def write_long_report(path: Path, pages: int) -> Path:
    """A report of many short pages; each names its number in words of its own."""
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    for number in range(1, pages + 1):
        canvas.setFont("Helvetica", 14)
        canvas.drawString(70, 740, f"Log of day {number}")
        canvas.drawString(70, 700, f"The watch of day {number} counted {number * 7} gulls.")
        canvas.showPage()
    canvas.save()
    return path
