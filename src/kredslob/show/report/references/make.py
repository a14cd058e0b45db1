"""Make ``reference.docx`` and ``reference.pptx`` from pandoc's own: A4, type, tables, page numbers.

Run ``python -m kredslob.show.report.references.make`` after a change here; a test compares the
files with what this makes.
"""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from lxml import etree  # type: ignore[import-untyped]

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_SPACES = {"w": _W, "a": _A, "p": _P}
_BLUE, _INK, _GREY, _PALE, _LINE = "00568C", "1D1D1F", "595959", "EEF4F9", "D9D9D9"
_FONT = "Arial"
_DAY = (1980, 1, 1, 0, 0, 0)  # so that the same content gives the same file
_FOOTER = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:ftr xmlns:w="{_W}"><w:p><w:pPr><w:pStyle w:val="Footer"/><w:jc w:val="right"/></w:pPr>
<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>
<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>
<w:r><w:t xml:space="preserve"> / </w:t></w:r>
<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> NUMPAGES </w:instrText></w:r>
<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>
</w:p></w:ftr>"""  # noqa: E501
_A4 = (
    f'<w:sectPr xmlns:w="{_W}" xmlns:r="{_R}">'
    '<w:footerReference w:type="default" r:id="rIdFooter"/>'
    '<w:footnotePr><w:numRestart w:val="eachSect"/></w:footnotePr>'
    '<w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="1304" w:right="1191" w:bottom="1191" w:left="1191" w:header="624" '
    'w:footer="567" w:gutter="0"/></w:sectPr>'
)
_STYLES: Mapping[str, tuple[str, str]] = {  # paragraph and letters of each style
    "BodyText": ('<w:spacing w:before="80" w:after="80" w:line="264" w:lineRule="auto"/>', ""),
    "Compact": ('<w:spacing w:before="30" w:after="30"/>', ""),
    "Title": (
        '<w:keepNext/><w:spacing w:before="0" w:after="60"/><w:jc w:val="left"/>',
        f'<w:b/><w:color w:val="{_BLUE}"/><w:sz w:val="48"/>',
    ),
    "Subtitle": (
        '<w:keepNext/><w:spacing w:before="0" w:after="40"/><w:jc w:val="left"/>',
        f'<w:color w:val="{_INK}"/><w:sz w:val="26"/>',
    ),
    "Author": (
        '<w:keepNext/><w:spacing w:before="0" w:after="0"/><w:jc w:val="left"/>',
        f'<w:color w:val="{_GREY}"/><w:sz w:val="18"/>',
    ),
    "Date": (
        '<w:keepNext/><w:spacing w:before="0" w:after="240"/><w:jc w:val="left"/>',
        f'<w:color w:val="{_GREY}"/><w:sz w:val="18"/>',
    ),
    "Heading1": (
        "<w:keepNext/><w:keepLines/><w:pBdr>"
        f'<w:top w:val="single" w:sz="12" w:space="4" w:color="{_BLUE}"/></w:pBdr>'
        '<w:spacing w:before="400" w:after="120"/><w:outlineLvl w:val="0"/>',
        f'<w:b/><w:color w:val="{_BLUE}"/><w:sz w:val="28"/>',
    ),
    "TOCHeading": (
        '<w:keepNext/><w:spacing w:before="200" w:after="60"/>',
        f'<w:b/><w:color w:val="{_BLUE}"/><w:sz w:val="24"/>',
    ),
    "TableCaption": (
        '<w:keepNext/><w:spacing w:before="200" w:after="80"/>',
        f'<w:color w:val="{_GREY}"/><w:sz w:val="18"/>',
    ),
    "ImageCaption": (
        '<w:spacing w:before="40" w:after="240"/>',
        f'<w:color w:val="{_GREY}"/><w:sz w:val="18"/>',
    ),
    "CaptionedFigure": ('<w:keepNext/><w:spacing w:before="160" w:after="0"/>', ""),
    "Answer": (
        f'<w:pBdr><w:left w:val="single" w:sz="36" w:space="8" w:color="{_BLUE}"/></w:pBdr>'
        f'<w:shd w:val="clear" w:color="auto" w:fill="{_PALE}"/>'
        '<w:spacing w:before="30" w:after="30" w:line="264" w:lineRule="auto"/>',
        "",
    ),
    "Footer": ("", f'<w:color w:val="{_GREY}"/><w:sz w:val="16"/>'),
}
_TABLE = (
    f'<w:tblPr xmlns:w="{_W}"><w:tblStyleRowBandSize w:val="1"/><w:tblInd w:w="0" w:type="dxa"/>'
    f'<w:tblBorders><w:bottom w:val="single" w:sz="4" w:color="{_LINE}"/>'
    f'<w:insideH w:val="single" w:sz="4" w:color="{_LINE}"/></w:tblBorders>'
    '<w:tblCellMar><w:top w:w="30" w:type="dxa"/><w:left w:w="70" w:type="dxa"/>'
    '<w:bottom w:w="30" w:type="dxa"/><w:right w:w="70" w:type="dxa"/></w:tblCellMar></w:tblPr>'
)
_FIRST_ROW = (
    f'<w:tblStylePr xmlns:w="{_W}" w:type="firstRow"><w:rPr><w:b/></w:rPr><w:tcPr><w:tcBorders>'
    f'<w:bottom w:val="single" w:sz="8" w:color="{_INK}"/></w:tcBorders>'
    '<w:vAlign w:val="bottom"/></w:tcPr></w:tblStylePr>'
)
_Edit = Callable[[bytes], bytes]


def make(folder: Path) -> None:
    """Write both reference documents into a folder."""
    (folder / "reference.docx").write_bytes(_word(_of_pandoc("reference.docx")))
    (folder / "reference.pptx").write_bytes(_slides(_of_pandoc("reference.pptx")))


def _of_pandoc(name: str) -> bytes:
    import pypandoc

    command = [pypandoc.get_pandoc_path(), "--print-default-data-file", name]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _edited(package: bytes, edits: Mapping[str, _Edit], new: Mapping[str, str]) -> bytes:
    """Change parts of a document package, and add others."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        parts = {name: old.read(name) for name in old.namelist()}
        parts = {name: edits.get(name, bytes)(content) for name, content in parts.items()}
        parts |= {name: content.encode() for name, content in new.items()}
        for name, content in parts.items():
            written.writestr(zipfile.ZipInfo(name, _DAY), content, zipfile.ZIP_DEFLATED)
    return result.getvalue()


# Word ---------------------------------------------------------------------------------------------


def _word(package: bytes) -> bytes:
    edits: dict[str, _Edit] = {
        "word/styles.xml": _word_styles,
        "word/document.xml": _word_page,
        "word/theme/theme1.xml": _fonts,
        "word/_rels/document.xml.rels": _with_footer,
        "[Content_Types].xml": _with_footer_type,
    }
    return _edited(package, edits, {"word/footer1.xml": _FOOTER})


def _with_footer(relations: bytes) -> bytes:
    footer = f'<Relationship Id="rIdFooter" Type="{_R}/footer" Target="footer1.xml"/>'
    return relations.replace(b"</Relationships>", f"{footer}</Relationships>".encode())


def _with_footer_type(types: bytes) -> bytes:
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"
    footer = f'<Override PartName="/word/footer1.xml" ContentType="{kind}"/>'
    return types.replace(b"</Types>", f"{footer}</Types>".encode())


def _word_page(document: bytes) -> bytes:
    root = etree.fromstring(document)
    (old,) = root.iter(f"{{{_W}}}sectPr")
    old.getparent().replace(old, etree.fromstring(_A4))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _word_styles(styles: bytes) -> bytes:
    root = etree.fromstring(styles)
    size = root.find(".//w:rPrDefault/w:rPr", _SPACES)
    for name in ("sz", "szCs"):
        size.find(f"w:{name}", _SPACES).set(f"{{{_W}}}val", "19")
    for name, (paragraph, letters) in _STYLES.items():
        style = root.find(f"w:style[@w:styleId='{name}']", _SPACES)
        if style is None:
            style = etree.fromstring(
                f'<w:style xmlns:w="{_W}" w:type="paragraph" w:customStyle="1" w:styleId="{name}">'
                f'<w:name w:val="{name}"/><w:basedOn w:val="BodyText"/><w:qFormat/></w:style>'
            )
            root.append(style)
        for tag, content in (("pPr", paragraph), ("rPr", letters)):
            for old in style.findall(f"w:{tag}", _SPACES):
                style.remove(old)
            if content:
                style.append(etree.fromstring(f'<w:{tag} xmlns:w="{_W}">{content}</w:{tag}>'))
    table = root.find("w:style[@w:styleId='Table']", _SPACES)
    for tag in ("tblPr", "tblStylePr"):
        table.remove(table.find(f"w:{tag}", _SPACES))
    letters = f'<w:rPr xmlns:w="{_W}"><w:sz w:val="17"/></w:rPr>'
    for part in (letters, _TABLE, _FIRST_ROW):
        table.append(etree.fromstring(part))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _fonts(theme: bytes) -> bytes:
    root = etree.fromstring(theme)
    for kind in ("majorFont", "minorFont"):
        root.find(f".//a:{kind}/a:latin", _SPACES).set("typeface", _FONT)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


# PowerPoint ---------------------------------------------------------------------------------------

_TITLE = (411480, 228600, 8321040, 822960)  # left, top, width, height in EMU; a slide is 10 by 5.6"
_BODY = (411480, 1097280, 8321040, 3611880)
_FOOT = 4800600


def _slides(package: bytes) -> bytes:
    edits: dict[str, _Edit] = {
        "ppt/slideMasters/slideMaster1.xml": _master,
        "ppt/theme/theme1.xml": lambda theme: _coloured(_fonts(theme)),
        "ppt/slideLayouts/slideLayout1.xml": _title_slide,
    }
    return _edited(package, edits, {})


def _master(master: bytes) -> bytes:
    root = etree.fromstring(master)
    for kind, place in (("title", _TITLE), ("body", _BODY)):
        _put(_placeholder(root, kind), place)
    for kind, left in (("dt", 411480), ("ftr", 3124200), ("sldNum", 6598920)):
        _put(_placeholder(root, kind), (left, _FOOT, 2133600, 228600))
    title = root.find(".//p:titleStyle/a:lvl1pPr", _SPACES)
    title.set("algn", "l")
    letters = title.find("a:defRPr", _SPACES)
    letters.set("sz", "2200")
    letters.set("b", "1")
    letters.find("a:solidFill/a:schemeClr", _SPACES).set("val", "accent1")
    _placeholder(root, "title").find(".//a:bodyPr", _SPACES).set("anchor", "b")
    for level, size in ((1, 1800), (2, 1600), (3, 1400)):
        style = root.find(f".//p:bodyStyle/a:lvl{level}pPr", _SPACES)
        style.find("a:defRPr", _SPACES).set("sz", str(size))
        style.find("a:spcBef/a:spcPct", _SPACES).set("val", "40000")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _title_slide(layout: bytes) -> bytes:
    """White letters on blue, from the left."""
    root = etree.fromstring(layout)
    content = root.find("p:cSld", _SPACES)
    background = (
        f'<p:bg xmlns:p="{_P}" xmlns:a="{_A}"><p:bgPr><a:solidFill><a:schemeClr val="accent1"/>'
        "</a:solidFill><a:effectLst/></p:bgPr></p:bg>"
    )
    content.insert(0, etree.fromstring(background))
    for kind, place, size in (
        ("ctrTitle", (685800, 1234440, 7772400, 1143000), 3600),
        ("subTitle", (685800, 2468880, 7772400, 1314450), 2000),
    ):
        shape = _placeholder(root, kind)
        _put(shape, place)
        style = shape.find(".//a:lstStyle", _SPACES)
        for old in list(style):
            style.remove(old)
        bold = ' b="1"' if kind == "ctrTitle" else ""
        style.append(
            etree.fromstring(
                f'<a:lvl1pPr xmlns:a="{_A}" marL="0" indent="0" algn="l"><a:buNone/>'
                f'<a:defRPr sz="{size}"{bold}><a:solidFill><a:schemeClr val="bg1"/></a:solidFill>'
                "</a:defRPr></a:lvl1pPr>"
            )
        )
    for kind in ("dt", "ftr", "sldNum"):
        for old in _placeholder(root, kind).findall(".//a:lstStyle", _SPACES):
            old.append(
                etree.fromstring(
                    f'<a:lvl1pPr xmlns:a="{_A}"><a:defRPr><a:solidFill><a:schemeClr val="bg1"/>'
                    "</a:solidFill></a:defRPr></a:lvl1pPr>"
                )
            )
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _placeholder(root: etree._Element, kind: str) -> etree._Element:
    (mark,) = root.findall(f".//p:ph[@type='{kind}']", _SPACES)
    return next(a for a in mark.iterancestors() if a.tag == f"{{{_P}}}sp")


def _put(shape: etree._Element, place: tuple[int, int, int, int]) -> None:
    """Place a shape; what it inherits is overruled."""
    left, top, width, height = place
    properties = shape.find("p:spPr", _SPACES)
    for old in properties.findall("a:xfrm", _SPACES):
        properties.remove(old)
    frame = (
        f'<a:xfrm xmlns:a="{_A}"><a:off x="{left}" y="{top}"/><a:ext cx="{width}" cy="{height}"/>'
        "</a:xfrm>"
    )
    properties.insert(0, etree.fromstring(frame))


def _coloured(theme: bytes) -> bytes:
    root = etree.fromstring(theme)
    for name, colour in (("accent1", _BLUE), ("dk2", _INK), ("hlink", _BLUE)):
        part = root.find(f".//a:clrScheme/a:{name}", _SPACES)
        for old in list(part):
            part.remove(old)
        part.append(etree.fromstring(f'<a:srgbClr xmlns:a="{_A}" val="{colour}"/>'))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


if __name__ == "__main__":
    make(Path(__file__).parent)
