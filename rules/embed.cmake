# Writes files into a C source as one table: name, bytes, length. HEADER
# declares it: `extern const struct TYPE TABLE[]`.
file(WRITE ${OUT} "#include \"${HEADER}\"\n")
set(rows "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  string(MAKE_C_IDENTIFIER ${name} id)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  file(APPEND ${OUT} "static const unsigned char ${id}[] = {${bytes}0};\n")
  string(APPEND rows "\t{ \"${name}\", ${id}, sizeof(${id}) - 1 },\n")
endforeach()
file(APPEND ${OUT} "const struct ${TYPE} ${TABLE}[] = {\n${rows}\t{ 0, 0, 0 }\n};\n")
