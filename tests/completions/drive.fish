# Prints what fish completes each line of standard input to, a match on a line, and END.
while read -l line
    complete -C $line | string replace -r '\t.*' ''
    echo END
end
