-- A table of contents for Word: a field that Word fills with page numbers when it is asked to update it,
-- filled beforehand with links, since no other program fills it on opening.
local function mark(kind)
  return '<w:r><w:fldChar w:fldCharType="' .. kind .. '"/></w:r>'
end

local function field(xml)
  return pandoc.RawInline("openxml", xml)
end

function Pandoc(document)
  local lines = {}
  for _, block in ipairs(document.blocks) do
    if block.t == "Header" and block.level == 1 then
      table.insert(lines, pandoc.List({ pandoc.Link(block.content, "#" .. block.identifier) }))
    end
  end
  if #lines == 0 then
    return document
  end
  local instruction = '<w:r><w:instrText xml:space="preserve">TOC \\o "1-1" \\h \\z \\u</w:instrText></w:r>'
  lines[1]:insert(1, field(mark("begin") .. instruction .. mark("separate")))
  lines[#lines]:insert(field(mark("end")))
  local entries = {}
  for _, line in ipairs(lines) do
    table.insert(entries, pandoc.Para(line))
  end
  local title = pandoc.Para(pandoc.Str(pandoc.utils.stringify(document.meta["toc-title"])))
  document.blocks:insert(1, pandoc.Div({ title }, { ["custom-style"] = "TOC Heading" }))
  document.blocks:insert(2, pandoc.Div(entries, { ["custom-style"] = "toc 1" }))
  return document
end
