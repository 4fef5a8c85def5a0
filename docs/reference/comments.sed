# Our comments are plain "//" above what they speak of, or behind it; Doxygen wants "///" and "///<", and takes some of our characters for
# mark-up. The comment that a header begins with is the file's.
s/^( *)\/\/$/\1\/\/\//
/^ *\/\/ |[;,{}] +\/\/ /{
  /^\} +\/\/ namespace /b
  h
  s/^(.*[;,{}] +|( *))\/\/ (.*)$/\3/
  s/[\\@<>#%&]/\\&/g
  s/::/\\::/g
  x
  t forget
  :forget
  s/^( *)\/\/ .*$/\1\/\/\//
  t join
  s/^(.*[;,{}] +)\/\/ .*$/\1\/\/\/</
  :join
  G
  s/\n/ /
}
1s/^\/\/\/ /\/\/\/ \\file\n&/
