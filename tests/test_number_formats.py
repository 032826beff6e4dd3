"""Numbers, dates and texts are shown as a sheet shows them in their number format. Expected texts are those of Excel."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.formats.office.number_formats import shown

_EURO = '_-* #,##0.00\\ "€"_-;\\-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-'


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.075, "0.0%", "7.5%"),
        (0.5, "0.00%", "50.00%"),
        (1234.5, '#,##0.00 "EUR"', "1,234.50 EUR"),
        (1234.5, "[$€-407] #,##0.00", "€ 1,234.50"),
        (1234.5, "#,##0.00\\ [$€-407]", "1,234.50 €"),
        (1500, "$#,##0", "$1,500"),
        (1234.5, _EURO, "1,234.50 €"),
        (-1234.5, _EURO, "-1,234.50 €"),
        (0, _EURO, "- €"),
        (-1234.5, "#,##0.00_);(#,##0.00)", "(1,234.50)"),
        (-5, "0", "-5"),
        (-5, "0;[Red]0", "5"),
        (0, '0;-0;"none";@', "none"),
        ("x", '0;-0;0;"<"@">"', "<x>"),
        ("x", "0.00", "x"),
        (12, '0" kg"', "12 kg"),
        (5, "000", "005"),
        (123456789, "000-00-0000", "123-45-6789"),
        (1234567, "#,##0,", "1,235"),
        (1234567.891, '0.0,,"M"', "1.2M"),
        (1234.5678, "#,##0.0##", "1,234.568"),
        (2.5, "0", "3"),
        (1.005, "0.00", "1.01"),
        (0.125, "0.00", "0.13"),
        (1e22, "#,##0.00", "10,000,000,000,000,000,000,000.00"),
        (12345.678, "0.00E+00", "1.23E+04"),
        (0.00012345, "0.00E+00", "1.23E-04"),
        (12345.678, "##0.0E+0", "12.3E+3"),
        (1.5, "# ?/?", "1 1/2"),
        (0.333, "# ??/??", "1/3"),
        (2.25, "# ?/8", "2 2/8"),
        (0.75, "?/?", "3/4"),
        (0.99999, "# ?/?", "1"),
        (150, '[>=100]"many";0', "many"),
        (50, '[>=100]"many";0', "50"),
        (1, ";;;", ""),
        (True, "0.00", "TRUE"),
        (False, "General", "FALSE"),
        (0.1 + 0.2, "General", "0.3"),
        (1 / 3, "General", "0.333333333"),
        (123456.789012345, "General", "123456.789"),
        (-3, "General", "-3"),
        (4006381333931, "General", "4006381333931"),
        (1e20, "General", "1E+20"),
        (1.5e-12, "General", "1.5E-12"),
        (45360, "dd/mm/yyyy", "09/03/2024"),
        (45360, "dd.mm.yy", "09.03.24"),
        (45360, "d mmm yyyy", "9 Mar 2024"),
        (45360, "dddd, mmmm d, yyyy", "Saturday, March 9, 2024"),
        (45360.75, "yyyy-mm-dd h:mm", "2024-03-09 18:00"),
        (45360, "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", "2024-03-09"),
        (0.3125, "h:mm", "7:30"),
        (0.3125, "hh:mm AM/PM", "07:30 AM"),
        (0.5, "h AM/PM", "12 PM"),
        (1.75, "[h]:mm", "42:00"),
        (1.75, "[mm]:ss", "2520:00"),
        (-0.25, "[h]:mm", "-6:00"),
        (0.000694445, "mm:ss", "01:00"),
        (0.00001157407 * 1.5, "ss.00", "01.50"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (-1, "yyyy-mm-dd", "#####"),
        (1e9, "yyyy-mm-dd", "#####"),
    ],
)
def test_a_value_is_shown_as_its_format_says(value: float | str | bool, code: str, text: str) -> None:
    assert shown(value, code) == text


def test_a_workbook_of_1904_counts_its_days_from_there() -> None:
    assert shown(0, "yyyy-mm-dd", is_1904=True) == "1904-01-01"


@given(st.integers(-(10**14), 10**14), st.integers(0, 6))
def test_a_shown_number_reads_back_as_the_number_rounded(hundredths: int, decimals: int) -> None:
    value = hundredths / 100
    text = shown(value, "#,##0" + ("." + "0" * decimals if decimals else ""))
    assert abs(Decimal(text.replace(",", "")) - Decimal(repr(value))) <= Decimal(5).scaleb(-decimals - 1)
    whole = text.lstrip("-").split(".")[0].split(",")
    assert all(len(group) == 3 for group in whole[1:])
    assert 1 <= len(whole[0]) <= 3


@given(st.dates(datetime.date(1900, 3, 1)), st.integers(0, 86_399))
def test_a_shown_date_and_time_reads_back(day: datetime.date, second: int) -> None:
    days = (day - datetime.date(1899, 12, 30)).days
    text = shown(days + second / 86_400, "yyyy-mm-dd hh:mm:ss")
    midnight = datetime.datetime.combine(day, datetime.time())
    assert datetime.datetime.fromisoformat(text) == midnight + datetime.timedelta(seconds=second)


@given(
    st.floats() | st.text(max_size=20) | st.booleans(),
    st.text(st.sampled_from('0#?.,%E+-/;@"\\_*[]$€<>=1hmsdyGeneralAP/ '), max_size=40),
)
def test_no_format_breaks(value: float | str | bool, code: str) -> None:
    assert isinstance(shown(value, code), str)


@given(st.floats(1, 10**9, exclude_max=True))
def test_a_plain_number_keeps_ten_digits(value: float) -> None:
    assert abs(Decimal(shown(value, "General")) - Decimal(value)) <= Decimal(value).scaleb(-9)
