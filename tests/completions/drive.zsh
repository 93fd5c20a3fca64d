# Prints what zsh completes each line of standard input to, a match on a line, and END. It types into a zsh that has a
# terminal, in a directory whose .zshrc writes the matches down.
zmodload zsh/zpty
zpty shell zsh -d -i
while IFS= read -r line; do
    rm -f $ZDOTDIR/matches
    # Deletes what is there, types, and presses the key.
    zpty -w -n shell $'\C-U'$line$'\C-T'
    until [[ -e $ZDOTDIR/matches && $(tail -n 1 $ZDOTDIR/matches) == END ]]; do
        zpty -r -t shell ignored
        sleep 0.01
        (( ++looks < 100000 )) || exit 1
    done
    cat $ZDOTDIR/matches
done
zpty -d shell
