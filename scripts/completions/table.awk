# Makes lines of the table of completions out of what a program says with --help; `name` is that program.
#
# A line has fields with tabs between them: the program; an option, a word that it takes, or `:` for its operands; what
# the value is, or `-`, or what the operands are; and what it is for.

# What is to be completed for a word of the usage line.
function kind(word) {
    word = tolower(word)
    gsub(/[][]/, "", word)
    if (word ~ /^(dir|root|pwd|new_root)$/)
        return name == "runsvchdir" ? "runlevel" : name ~ /^(svc|svok|svstat)$/ ? "place" : "dir"
    if (word ~ /^(file|lock|script|console|path|new_init)$/) return "file"
    if (word ~ /^(account|:user:group(\.\.\.)?)$/) return "user"
    if (word ~ /^(prog|program|child)$/ || word == "command" && name != "sv") return "program"
    if (word ~ /^(command|service|line|time)$/) return word
    return "value"
}

function put(option, value, text) {
    if (!(option in seen)) order[++count] = option
    seen[option] = 1
    if (value != "") values[option] = kind(value)
    if (text != "") texts[option] = text
}

# The options in front of a text, with their values: `-w, --wait sec`.
# A letter has the value of the long name behind it.
function options(front, text,    parts, words, last, i, value) {
    last = split(front, parts, ", ")
    for (i = last; i > 0; i--) {
        words[2] = ""
        split(parts[i], words, " ")
        if (words[2] ~ /^\(-/) put(substr(words[2], 2, 2), "", text)
        if (words[2] != "" || words[1] ~ /^--/) value = words[2] ~ /^\(/ ? "" : words[2]
        put(words[1], words[2] == "" && parts[i + 1] !~ /^--/ ? "" : value, text)
    }
}

# `lock a file; -L: fail if it is locked` is about -L, too.
function line(    parts, last, i) {
    if (front == "") return
    last = split(text, parts, "; ")
    if (front ~ /^-/) options(front, parts[1]); else if (front != "time") say_words(front, text)
    for (i = 2; i <= last; i++)
        if (parts[i] ~ /^-[A-Za-z]: /) put(substr(parts[i], 1, 2), "", substr(parts[i], 5))
    front = text = ""
}

function say_words(front, text,    words, last, i) {
    last = split(front, words, ", ")
    for (i = 1; i <= last; i++) print name "\t" words[i] "\t-\t" text
}

# The usage line: `[-vV]`, `[-w sec]`, and what is left are the operands.
function usage(text,    words, last, i, word, letter, value) {
    gsub(/[][]/, " & ", text)
    gsub(/ \[ : \] user \[ :group \] /, ":user:group", text)
    gsub(/\|/, " | ", text)
    last = split(text, words, " ")
    for (i = 1; i <= last; i++) {
        word = words[i]
        value = words[i + 1] ~ /^[a-z:]/ && words[i + 2] == "]" ? words[i + 1] : ""
        if (word ~ /^--./) put(word, "", "")
        else if (word ~ /^-./ && word != "--") {
            for (letter = 2; letter <= length(word); letter++) put("-" substr(word, letter, 1), value, "")
            if (value != "") i++
        }
        else if (words[i + 1] == "|" && word ~ /^[0-9]$/) { print name "\t" word "\t-\t"; operands = "word" }
        else if (word == "...") { if (words[i - 1] ~ /^(service|dir)$/) operands = operands "..." }
        else if (word ~ /^[a-z_]+$/ && word !~ /^(arg|message)$/ && name != "svbox")
            operands = operands (operands == "" ? "" : " ") kind(word)
        else if (words[i - 1] == "|" && word ~ /^[0-9]$/) print name "\t" word "\t-\t"
    }
}

NR == 1 { sub(/^usage: [^ ]*/, ""); usage($0); next }
!described && /^ +svbox / { sub(/^ *svbox/, ""); usage($0); next }
/^$/ { described = 1; line(); next }
/^          / { sub(/^ +/, ""); text = text " " $0; next }
/^  [^ ]/ {
    line()
    sub(/^  /, "")
    at = match($0, /  +/)
    front = at ? substr($0, 1, at - 1) : $0
    text = at ? substr($0, at + RLENGTH) : ""
    next
}
{ line(); prose = prose " " $0 " " }

END {
    line()
    # svc: `u up, d down`.
    last = split(prose, parts, /[,:.] /)
    for (i = 1; i <= last; i++) {
        sub(/^ /, "", parts[i])
        option = "-" substr(parts[i], 1, 1)
        if (parts[i] ~ /^[a-z0-9] [A-Za-z0-9]+$/ && option in seen && texts[option] == "")
            texts[option] = substr(parts[i], 3)
    }
    put("--help", "", "print what it is for")
    put("--version", "", "print the version")
    for (i = 1; i <= count; i++)
        print name "\t" order[i] "\t" (values[order[i]] == "" ? "-" : values[order[i]]) "\t" texts[order[i]]
    print name "\t:\t" (name == "svbox" ? "name" : operands == "" ? "-" : operands) "\t"
}
