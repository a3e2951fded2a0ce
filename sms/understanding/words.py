"""What words mean, as data: a label and the phrases that carry it, German and English together.

People answer a German text with "ok" and "sure" and an English one with "ja", so there is one vocabulary. Umlauts may be typed as
ae or a, words in dialect or with an apostrophe less; lexicon.py takes care of that.
"""

Table = dict[str, str]

SPELLINGS = {
    "ned": "nicht", "net": "nicht", "nit": "nicht", "nich": "nicht", "nid": "nicht", "nciht": "nicht", "nihct": "nicht",
    "ncht": "nicht", "hab": "habe", "weis": "weiss", "wees": "weiss", "woas": "weiss", "basst": "passt", "bast": "passt",
    "basd": "passt", "passd": "passt", "mog": "mag", "koa": "kein", "koane": "keine", "kan": "kann", "kom": "komme",
    "kumm": "komme", "komm": "komme", "moechte": "moechte", "mocht": "moechte", "moecht": "moechte", "gruss": "gruss",
    "dange": "danke", "dnake": "danke", "bitee": "bitte", "un": "und", "nein'": "nein", "dat": "das", "det": "das",
    "wollt": "wollte", "schaff": "schaffe", "schaffs": "schaffe", "brauch": "brauche", "gehts": "geht", "passts": "passt",
    "klappts": "klappt", "kanns": "kann", "is": "ist", "moren": "morgen", "morgn": "morgen", "mrogen": "morgen", "mogren": "morgen", "gerner": "gerne", "verschiben": "verschieben", "verscheiben": "verschieben", "grene": "gerne", "gerene": "gerne", "geren": "gerne", "gernr": "gerne", "gernw": "gerne", "jq": "ja", "nien": "nein", "neim": "nein", "nain": "nein", "nin": "nein",
}  # fmt: skip
"""Dialect, haste and dictation, by folded word; only where the word means nothing else."""

POLITE: Table = {
    "polite": (
        "bitte, bitte schön, bitteschön, bitte sehr, danke, danke schön, dankeschön, danke sehr, danke dir, danke ihnen, danke euch, "
        "vielen dank, vielen lieben dank, vielen herzlichen dank, lieben dank, herzlichen dank, besten dank, schönen dank, tausend dank, "
        "und danke, und vielen dank, danke für die info, danke für die information, danke für die erinnerung, danke für die nachfrage, "
        "danke für die nachricht, vielen dank für die info, vielen dank für die erinnerung, vielen dank für die nachfrage, "
        "vielen dank für die nachricht, danke für die sms, danke für ihre nachricht, danke für alles, danke der nachfrage, "
        "danke fürs nachfragen, danke fürs erinnern, danke für eure nachricht, merci, thx, thanks, thanks a lot, thank you, "
        "thank you very much, thank you so much, many thanks, ty, please, pls, plz, sorry, sry, entschuldigung, entschuldigen sie, "
        "verzeihung, pardon, tut mir leid, tut mir sehr leid, es tut mir leid, tut uns leid, schade, schönen tag, schönen tag noch, "
        "einen schönen tag, einen schönen tag noch, schönen abend, schönen abend noch, einen schönen abend, einen schönen abend noch, "
        "schönes wochenende, ein schönes wochenende, und ein schönes wochenende, und schönes wochenende, schöne woche, schöne feiertage, "
        "have a nice day, xd, haha, hihi, hehe, tschüss, tschüß, tschau, ciao, bye, servus, ade, pfiat di, bis bald, alles gute, "
        "wünsche einen schönen tag, danke im voraus, vielen dank im voraus"
    ),
    "greet": (
        "hallo, hallöchen, halli hallo, hi, hey, hej, moin, moin moin, moinsen, grüezi, grüß gott, grüß dich, grüß sie, grüß euch, "
        "griaß di, griaß eich, guten tag, guten morgen, guten abend, gute nacht, schönen guten tag, schönen guten morgen, "
        "schönen guten abend, hello, hi there, hello there, good morning, good afternoon, good evening, dear, liebes team, "
        "liebes praxisteam, hallo team, hallo praxisteam, hallo liebes team, hallo zusammen, liebe leute, liebe praxis, sehr geehrte, "
        "sehr geehrter, sehr geehrtes, sehr geehrte damen und herren, sehr geehrtes team, sehr geehrtes praxisteam, "
        "sehr geehrtes praxis team, liebe frau, lieber herr, liebe, mahlzeit"
    ),
    "sign": (
        "lg, vg, mfg, bg, hg, gruß, grüße, grüßle, und gruß, und grüße, schönen gruß, schöne grüße, liebe grüße, und liebe grüße, viele grüße, "
        "und viele grüße, viele liebe grüße, beste grüße, besten gruß, lieben gruß, herzliche grüße, herzlichst, mit freundlichen grüßen, "
        "mit freundlichem gruß, mit besten grüßen, mit lieben grüßen, freundliche grüße, ganz liebe grüße, sonnige grüße, best regards, "
        "kind regards, regards, best wishes, cheers, yours sincerely, sincerely, yours, kr, gez"
    ),
    "title": "frau, herr, herrn, fam, familie, dr, doktor, prof, professor, mr, mrs, ms, dr med",
}

TRAPS: Table = {
    # Nouns that are no name where one might stand ("Ja, Quatsch"), and what a bare number belongs to ("2. Mai").
    "odd": (
        # Words that a slip would make of an answer, but that are words.
        "gehen, gegen, gerte, gerät, geraten, sichel, sichern, sichert, sichere, passe, passte, pass, past, paste, pasta, passat, klappe, klappte, stimme, stimmte, "
        "kommt, komma, neuer, neue, neues, neuen, angemacht, angelehnt, angenommen, richtige, richtiger, ansagen, ansage, aussagen, verschoben, verschrieben, verschreiben, "
        "abgesagt, storniert, verlegt, umgebucht, vertagt, gestrichen, verhindern, rechts, niemand, nichte, "
        "quatsch, unsinn, blödsinn, scherz, witz, spaß, mist, moment, sekunde, pustekuchen, fehler, irrtum, korrektur, scheiße, blöd, falsch, "
        "vertippt, ups, oops, tippfehler, dutzend, duzend, paar, hälfte, viertel, uhr, stock, etage, rang, platz, klasse, reihe, seite, zimmer, "
        "januar, jänner, februar, feber, märz, april, mai, juni, juli, august, september, oktober, november, dezember, montag, dienstag, "
        "mittwoch, donnerstag, freitag, samstag, sonntag, sonnabend, sekunden, minute, minuten, min, stunde, stunden, std, tag, tage, tagen, "
        "woche, wochen, monat, monate, monaten, jahr, jahre, jahren, mal, termin, termine, person, personen, prozent, grad, euro, eur, cent, km, "
        "kg, meter, hours, minutes, days, weeks, months, years, people, times, absage, zusage, verschiebung, terminverschiebung, "
        "terminabsage, stornierung, vormittag, nachmittag, mittag, abend, früh, später, früher, morgens, abends, heute, morgen, "
        "übermorgen, gestern, nachts, vormittags, nachmittags, wochenende, anfang, mitte, ende, ostern, weihnachten"
    ),
}

DOUBT: Table = {
    "dontknow": (
        "weiß nicht, weiß ich nicht, weiß es nicht, weiß ich noch nicht, weiß noch nicht, ich weiß nicht, ich weiß es nicht, weiß nicht genau, "
        "weiß ich nicht genau, keine ahnung, keinen plan, kein plan, ka, kp, keine angabe, keine meinung, nicht sicher, noch nicht sicher, mir nicht sicher, "
        "unsicher, egal, mir egal, ist mir egal, ist egal, wurscht, i don't know, don't know, dunno, idk, no idea, not sure, "
        "i'm not sure, don't care, unentschlossen, unentschieden"
    ),
    "hedge": (
        "vielleicht, vllt, vlt, viell, evtl, evt, eventuell, wahrscheinlich, vermutlich, womöglich, möglicherweise, eher, eigentlich, schon, "
        "wohl, glaube, glaub, glaube ich, denke, denk, naja, na ja, tja, hm, hmm, mhm, hmhm, ähm, äh, öhm, mal sehen, mal schauen, mal gucken, schaun mer mal, "
        "kommt drauf an, kommt darauf an, kommt auf, je nachdem, geht so, so lala, teils, teils teils, teilweise, jein, jain, theoretisch, "
        "praktisch, fast, beinahe, halb, halbwegs, könnte, könnten, würde, müsste, sollte, hätte, wäre, ca, circa, zirka, etwa, ungefähr, rund, "
        "knapp, maximal, minimal, max, mindestens, höchstens, wenigstens, maybe, perhaps, probably, probably not, possibly, might, depends, "
        "it depends, sort of, kind of, about, almost, nearly, around, roughly, at least, at most, guess, i guess, think, hopefully, "
        "hoffentlich, noch unklar, unklar, ggf, gegebenenfalls, bedingt, tendenziell, oder so"
    ),
    # Somebody thinks, asks, or puts off: no answer yet, whatever else is said.
    "defer": (
        "melde, melde mich, ruf, rufe, rufen, anrufen, ruft, jetzt, warte, warten, spät, meld mich, überlege, überlegen, überlege noch, entscheide, entscheidet, entscheiden, frag, frage, fragen, fragt, bescheid, "
        "kläre, klären, abklären, schaue, gucke, prüfe, noch, erst, lieber am, versuche, versuchen, hoffe, denkste, als, sagen, sagt, sage bescheid, gebe bescheid, "
        "meinen, vergessen, let me check, will check, let you know, tell you, later, not now, jetzt nicht, gerade nicht, im moment nicht, heute nicht, momentan nicht, zurzeit nicht"
    ),
    "but": (
        "aber, jedoch, allerdings, sondern, außer, ausser, statt, anstatt, wenn, falls, sofern, vorausgesetzt, obwohl, trotzdem, es sei denn, but, "
        "if, unless, except, only, however, although, ob, whether, instead, sonst"
    ),
    "or": "oder, od, bzw, beziehungsweise, entweder, or, either, versus, vs, bis, zwischen, between",
    "ask": (
        "wann, wer, wie, wo, was, warum, wieso, weshalb, welche, welcher, welches, welchen, wohin, woher, wieviel, wie viel, wie viele, when, who, "
        "why, what, where, how, which, wie bitte, hä, warum nicht, wieso nicht, why not"
    ),
}

NEGATION: Table = {
    "neg": (
        "nicht, nicht mehr, nichts, nix, kein, keine, keinen, keiner, keinem, keines, keins, weder, noch nie, ohne, not, don't, doesn't, won't, isn't, "
        "wasn't, didn't, neither, nor, without, anything but, kaum, selten, hardly"
    ),
}

YES_NO: Table = {
    "yes": (
        "ja, jaja, j, jo, joo, jop, jopp, jup, aber selbstverständlich, mit vergnügen, mit freude, mit freuden, voll und ganz, ist recht, daumen hoch, von meiner seite ja, joa, joah, jou, jup, jupp, jap, japp, jepp, jep, jau, jawohl, jawoll, jawol, jaaa, yes, y, yep, yup, yeah, ya, yess, "
        "yes please, yea, gerne, gern, sehr gerne, sehr gern, gerne doch, gern doch, liebend gern, liebend gerne, herzlich gerne, "
        "klar, klaro, na klar, na klar doch, klar doch, aber klar, aber klar doch, aber ja, aber sicher, aber gerne, aber gern, aber natürlich, logo, "
        "logisch, ok, okay, oki, okey, oke, okeh, okidoki, okie, okk, in ordnung, geht in ordnung, ist in ordnung, geht klar, "
        "alles klar, einverstanden, ganz einverstanden, sicher, sicherlich, ganz sicher, natürlich, natürlich ja, na natürlich, selbstverständlich, "
        "selbstredend, auf jeden fall, auf jeden, auf jedenfall, aufjedenfall, auf jedn fall, auf alle fälle, unbedingt, freilich, na freilich, "
        "ja freilich, definitiv, absolut, genau, ganz genau, so ist es, genau so, immer gerne, immer gern, jederzeit gerne, richtig, korrekt, jawoll ja, oh ja, au ja, ja doch, doch ja, doch doch, kein problem, "
        "gar kein problem, überhaupt kein problem, kein thema, kein ding, meinetwegen, von mir aus, stimme zu, ich stimme zu, nichts dagegen, "
        "habe nichts dagegen, ich habe nichts dagegen, gebongt, geritzt, abgemacht, wird gemacht, mache ich, mach ich, mache ich gerne, "
        "machen wir, machen wir so, machen wir gerne, of course, sure, sure thing, certainly, absolutely, definitely, fine, fine by me, "
        "sounds good, works for me, that works, no problem, agreed, i agree, aye, with pleasure, correct, right, exactly, why yes, by all means, yes sir, "
        "kk, affirmative, zu hundert prozent, hundertprozentig"
    ),
    "no": (
        "nein, n, negativ, nee, ne, auf gar keinen, nix da, noch nie, bin raus, bin leider raus, leider muss ich nein sagen, ist falsch, das ist falsch, nicht richtig, nicht korrekt, nicht gewünscht, nicht zufrieden, daumen runter, nö, nöö, nä, näh, naa, noe, nope, no, nah, nein danke, nee danke, nei, niemals, nie, nie im leben, "
        "nie und nimmer, keinesfalls, keineswegs, auf keinen fall, auf keinenfall, aufkeinenfall, auf gar keinen fall, auf keinen, "
        "ganz und gar nicht, nie wieder, nie mehr, leider nicht, leider gar nicht, leider noch nicht, lieber nicht, noch nicht, bitte nicht, gar nicht, garnicht, überhaupt nicht, absolut nicht, sicher nicht, "
        "ganz sicher nicht, bestimmt nicht, ganz bestimmt nicht, natürlich nicht, selbstverständlich nicht, definitiv nicht, auf jeden fall nicht, "
        "nicht einverstanden, nicht ganz einverstanden, nicht interessiert, nicht nötig, nicht möglich, unmöglich, nicht dabei, kein interesse, kein bedarf, keine zeit, keine lust, "
        "keinen bedarf, keine chance, nicht wirklich, "
        "no thanks, no thank you, no way, not really, not at all, absolutely not, of course not, certainly not, "
        "definitely not, i'm afraid not, afraid not, unfortunately not, not interested, not yet, not possible, i can't, can't, cannot, can not, "
        "i disagree, i don't, i do not, i don't agree, i do not agree, don't agree, do not agree, doesn't work, does not work, doesn't work for me, "
        "does not work for me, i won't, i haven't, i didn't, it isn't, it wasn't, never, negative, sicherlich nicht, lehne ab, ich lehne ab, abgelehnt"
    ),
    # On its own an agreement, with a negation a refusal: "passt", "passt leider nicht".
    "able": (
        "passt, passt gut, passt super, nehme teil, nehmen teil, nehme gerne teil, nehme ich teil, nehme ich gerne teil, nehmen gerne teil, passt perfekt, passt mir, klappt, geht, stimmt, komme, bin dabei, wir sind dabei, ich kann, i can, i do, i will, i am, i have, "
        "würde passen, ginge, mag ich, wollen wir, will ich, möchte ich, brauche ich, schaffe ich"
    ),
    # Without a yes or a negation these say nothing.
    "verb": (
        "kann, können, könnt, kommen, schaffe, schaffen, schaffe es, will, wollen, möchte, möchten, mag, brauche, brauchen, mache, machen, nötig, notwendig, erforderlich, möglich, "
        "interessiert, dabei, wahrnehmen, nehme, nehmen, teil, einhalten, teilnehmen, werde, werden, do, can, will"
    ),
    # As "verb", but about how things are: "war ich nicht" answers a question, it cancels no appointment.
    "state": (
        "wollte, hatte, hatten, bekommen, erhalten, gesehen, gelesen, verstanden, gemacht, genommen, gefunden, geschehen, gegeben, benutzt, genutzt, gehört, habe, haben, hat, war, waren, wurde, bin, ist, sind, gefallen, gefällt, geklappt, funktioniert, "
        "dürfen, darf, have, did, am, has, had, würde ich, ich würde, würden wir, wir würden, wird, gab, gibt"
    ),
    "soft": "leider, unfortunately, bedauerlicherweise",
    "doch": "doch",
    "polite": "bis dann, dann bis dann, bis morgen, dann bis morgen, bis nachher, bis gleich, bis dahin, see you",
    "decline": "lass mal, lassen wir, lieber, lassen sie mal, du, tut mir leid, bin im urlaub, ich bin im urlaub, im urlaub, verreist, bin verreist, krank, bin krank, ich bin krank",
    "good": (
        "super, toll, prima, perfekt, bestens, wunderbar, klasse, spitze, top, gut, sehr gut, alles gut, alles bestens, alles super, alles prima, "
        "alles okay, alles in ordnung, hervorragend, ausgezeichnet, zufrieden, sehr zufrieden, freue mich, ich freue mich, freu mich, "
        "wir freuen uns, great, good, perfect, excellent, lovely, schön, sehr schön, wäre toll, wäre super, wäre schön, wäre gut, wäre prima, wäre klasse, wieder, hundert prozent"
    ),
    "bad": "schlecht, sehr schlecht, furchtbar, schrecklich, mies, unzufrieden, bad, terrible, nicht gut, nicht so gut, nicht so toll, mangelhaft, katastrophe",
    "fill": (
        "ich, wir, das, dies, es, mir, uns, da, dann, auch, also, so, sehr, ganz, ganz klar, wirklich, echt, alles, für mich, bei mir, bei uns, zu, "
        "an dem tag, an diesem tag, an dem termin, immer, jederzeit, vollkommen, total, komplett, völlig, von meiner seite, weiterempfehlen, empfehlen, voll, eh, halt, gelaufen, gewesen, bereits, weiterhin, weiter, danach, it was, i was, there was, "
        "i, it, that, that's, it's, i'm, would, me, to, the, very, really, my, we, na, ach, oh, ah, gut dann, nun, ihnen, sie, im moment, zur zeit, derzeit, aktuell, "
        "unsererseits, meinerseits, hier, john"
    ),
}

SCALE: Table = {
    "fill": (
        "note, schulnote, auf jeden fall, natürlich, sicher, selbstverständlich, nummer, nr, zahl, punkt, punkte, punkten, pkt, stern, sterne, sternen, sternchen, mit sternchen, antwort, meine antwort, bewertung, "
        "meine bewertung, wertung, skala, auf einer skala, auf der skala, einer skala, ergebnis, von mir, von uns, von mir bekommen sie, von mir gibt es, von mir gibts, bekommen sie, "
        "bekommt ihr, gibt es, gibts, ich, wir, gebe, geben, gib, vergebe, vergeben, bewerte, bewerten, benote, beurteile, mit, mit einer, mit der, einer, zufriedenheit, meine zufriedenheit, bekommt, bekommen, ihnen, euch, ich gebe ihnen, wähle, nehme, sage, ich würde sagen, ich sag mal, sag mal, sagen wir, sagen wir mal, "
        "würde sagen, würde, ich sage mal, sagen, ich denke, meine, ist, wäre, ist eine, eine, ein, einen, ne, nen, ner, die, der, glatte, glatter, "
        "ganz klar, klar, klare, ganz, volle, satte, glatt, starke, solide, also, dann, nur, leider, leider nur, a, an, the, i'd say, i would say, i'd, solid, a solid, i give, i give it, it's, give, it, "
        "score, rating, points, point, stars, star, number, my, my answer, my rating, answer, is, definitely, definitiv, eindeutig, absolut, "
        "setzen, bitteschön, für mich, das ist, das war, es war, i, would, say, möglichen, möglich, maximal möglichen, gerne, einfach, "
        "war, alles, sehr, insgesamt, gesamt, gesamtnote, dafür, dafür eine, deshalb, daher"
    ),
    "of": "von, aus, out of, of",
    "from": "von",
    "to": "bis, to, bis zu",
    "plus": "plus",
    "minus": "minus",
    "because": "weil, da, denn, wegen, because, since, due to",
    "good": (
        "gut, sehr gut, super, toll, prima, perfekt, bestens, wunderbar, klasse, spitze, top, hervorragend, ausgezeichnet, zufrieden, sehr zufrieden, "
        "befriedigend, ausreichend, great, good, very good, perfect, excellent, alles super, alles gut, alles bestens, alles okay, weiter so, okay, ok"
    ),
    "bad": "schlecht, sehr schlecht, mangelhaft, ungenügend, unzufrieden, furchtbar, mies, nicht gut, nicht so gut, nicht so toll, bad, poor",
}

CHOICE: Table = {
    "fill": (
        "die, der, das, den, dem, ein, eine, einen, einer, einem, ne, nummer, am liebsten, liebsten, bevorzugt, vorzugsweise, nr, no, antwort, meine antwort, option, möglichkeit, variante, auswahl, punkt, "
        "buchstabe, ich, wir, bin, sind, war, waren, ist, nehme, nehmen, wähle, wählen, möchte, hätte gerne, hätte gern, würde, sage, ich würde sagen, also, dann, mit, mitm, im, in, am, an, auf, bei, "
        "per, via, durch, über, übers, aus, vom, von, zum, zur, für, fürs, um, nur, leider, gerne, es, the, a, an, number, answer, choice, i, i'm, am, was, "
        "on, by, it, is, passt, passt mir, bitte die, meine, mein, my, pick, choose, take, i'd, für mich, uns, wurde, habe, lieber, einfach, mich, mir, i'd like, like, ganz klar, wäre, klar, eindeutig, definitiv, via, through, my answer, works, work, i choose, i take, das ist, das war, es war, uhr"
    ),
    "because": "weil, denn, because",
    "th": "st, nd, rd, th",
}

MULTICHOICE: Table = {
    "and": "und, u, and, sowie, als auch, sowohl, wie auch, plus, both, und auch, auch, und dann",
    "all": "alle, alles, alle davon, all, all of them, everything, sämtliche, all of the above, allesamt, beide, beides",
    "none": "keine, keines, keins, keiner, nichts, nix, gar nichts, gar keine, nichts davon, keine davon, keines davon, keins davon, keiner davon, keine von beiden, none, none of them, nothing, none of the above, none of these, nichts von allem, keine der genannten",
    "without": "außer, ausser, bis auf, except, all but, but, ohne",
}

APPOINTMENT: Table = {
    "able": "i'll come, wir kommen, werde kommen, ich werde kommen, i will come, i'm coming, werde erscheinen",
    "verb": "erscheinen, schaffs",
    "confirm": (
        "bestätigt, bestätige, bestätige ich, bestätigen, bitte bestätigen, confirmed, confirm, i confirm, zusage, zugesagt, fix, wird eingehalten, wird wahrgenommen, nehme ich wahr, nehmen wir wahr, termin steht, steht, kann ich einhalten, "
        "werde da sein, ich werde da sein, werde pünktlich da sein, wir werden da sein, bin da, bin pünktlich da, sind da, da sein, i'll be there, i will be there, "
        "will be there, bleibt dabei, es bleibt dabei, halte ihn ein, nehme ihn wahr"
    ),
    "cancel": (
        "absagen, absage, absgen, löschen, abzusagen, stornieren, storniere, storno, stornierung, canceln, cancele, cancelen, cancel, cancelled, streichen, "
        "terminabsage, sage ab, sag ab, sagen ab, sagen wir ab"
    ),
    "cant": (
        "verhindert, bin verhindert, leider verhindert, fällt aus, muss ausfallen, can't come, can't make it, cannot make it, cannot come, i can't come, i can't make it, i cannot come, "
        "i cannot make it, won't be there, i won't be there, won't make it, i won't make it, can not come, not coming, i'm not coming, not able to come, unable to come, won't be able to come, i won't be able to come, keine zeit"
    ),
    "move": (
        "verschieben, verschiebe, verschoben werden, verlegen, verlege, umbuchen, umbuche, umlegen, vertagen, verschiebung, terminverschiebung, reschedule, rescheduled, rebook, postpone"
    ),
    "moverequest": (
        "neuer termin, neuen termin, neuen termin vereinbaren, einen neuen termin, einen neuen termin vereinbaren, anderer termin, anderen termin, ein anderer termin, einen anderen termin, ein anderer tag, anderer tag, anderen tag, einen anderen tag, "
        "ersatztermin, andere uhrzeit, eine andere uhrzeit, andere zeit, anderes datum, späteren termin, späterer termin, früheren termin, ausweichtermin, alternativtermin, neuer terminvorschlag, terminvorschlag, geht auch später, geht auch früher, "
        "geht es auch später, geht es auch früher, geht es später, geht es auch an einem anderen tag, geht auch an einem anderen tag, new appointment, a new appointment, another appointment, another date, another day, another time, different time, different date, different day, a different time"
    ),
    "request": (
        "können wir, können sie, könnten wir, könnten sie, könnte ich, kann ich, können sie mir, könnten sie mir, hätten sie, haben sie, gibt es, can i, can we, could i, could we, could you, can you, geht auch, darf ich"
    ),
    "want": "muss, müssen, möchte, möchten, will, wollen, würde, würden, würde gerne, würde gern, möchte gerne, möchte gern, hätte gern, hätte gerne, hätten gern, hätten gerne, bräuchte, bräuchten, brauche, benötige, bitte um, bitte um einen, bitte einen, need, have, like, i'd like to, i have to, i need to, want, wünsche, bitte, please",
    "sage": "sage, sag, sagen",
    "ab": "ab",
    "zu": "zu",
    "nehme": "nehme, nehmen, halte, halten",
    "wahr": "wahr, ein",
    "bye": "bis dann, bis morgen, bis übermorgen, bis gleich, bis nachher, see you, see you then, see you there, see you tomorrow, dann bis morgen, bis dahin, see you soon",
    "soon": "bis montag, bis dienstag, bis mittwoch, bis donnerstag, bis freitag, bis samstag, bis sonntag, bis nächste woche, bis später",
    "excuse": "krank, bin krank, ich bin krank, leider krank, erkältet, bin erkältet, im urlaub, bin im urlaub, verreist, bin verreist, muss arbeiten, ich muss arbeiten, im krankenhaus, mir geht es nicht gut, i'm sick, sick, i'm ill",
    "hedge": "noch nicht, nicht wirklich, vorher, versuche, eigentlich",
    "fill": (
        "ich, wir, den, der, dem, einen, einem, termin, auf, nächste woche, nächster woche, kommende woche, termine, terms, mein, meinen, unseren, ihn, es, da, mir, uns, geben, machen, vereinbaren, hiermit, heute, morgen, "
        "übermorgen, für, mich, für mich, für morgen, um, auch, dann, also, so, i, i'm, my, to, the, an, a, appointment, it, that, date, time, me, get, tomorrow, today, will, would, werde, pünktlich, "
        "hin, deshalb, daher, darum, wie vereinbart, wie besprochen, vereinbart, besprochen, wir beide, ja den, den termin, der termin, zum termin, meinen termin, sehr, mal, dass, komplett"
    ),
}

REAL_WORDS = frozenset(
    [
        "absolute",
        "absolutes",
        "absaugen",
        "abgetaucht",
        "abgeflacht",
        "abgelehnten",
        "ablage",
        "abzufangen",
        "abzuwaegen",
        "affirmation",
        "agrees",
        "augusta",
        "auguste",
        "beseitigen",
        "bestaendige",
        "bestaendigen",
        "bestaetigung",
        "bestaetigte",
        "bestaetigten",
        "betaetigen",
        "betaetigt",
        "betaetigte",
        "cancer",
        "cannon",
        "canceled",
        "certainty",
        "coding",
        "confirms",
        "conform",
        "coping",
        "definition",
        "definitions",
        "definitive",
        "definitively",
        "eingestanden",
        "faber",
        "feder",
        "feiern",
        "ferber",
        "fewer",
        "fieber",
        "freital",
        "freytag",
        "gangen",
        "geistern",
        "gestein",
        "gesten",
        "gingen",
        "ginger",
        "greene",
        "haette",
        "hefte",
        "huete",
        "jaguar",
        "julian",
        "julius",
        "kommandeur",
        "kommendes",
        "korrekte",
        "logische",
        "loesche",
        "marsch",
        "margen",
        "moegen",
        "morden",
        "morgan",
        "morten",
        "nachsitzen",
        "naechte",
        "naechten",
        "natuerliche",
        "natuerlichem",
        "natuerlichen",
        "natuerlicher",
        "natuerliches",
        "nachos",
        "",
        "",
        "negativem",
        "negativen",
        "negativer",
        "negatives",
        "negatively",
        "nikolas",
        "postponed",
        "reboot",
        "rights",
        "sacher",
        "schwerlich",
        "selbstverstaendliche",
        "sortierung",
        "stagnieren",
        "stammt",
        "stehst",
        "stemmt",
        "stimmst",
        "streiche",
        "streicheln",
        "streichelt",
        "streicher",
        "streichung",
        "strichen",
        "sucher",
        "umwegen",
        "unbedingte",
        "unbedingten",
        "unhoeflich",
        "unmoegliche",
        "unmoeglichen",
        "unmoegliches",
        "unsaeglich",
        "veraendert",
        "verhandelt",
        "verhungert",
        "verjagen",
        "verlage",
        "verlagen",
        "verleger",
        "verlegten",
        "verlesen",
        "verleugnen",
        "verlogen",
        "verminderte",
        "verringert",
        "versagen",
        "verschicken",
        "verschiebt",
        "verschiebungen",
        "verschiedene",
        "vertraegen",
        "vertragen",
        "verwegen",
        "verwundert",
        "vorlegen",
        "hundertprozentige",
        "zulage",
        "zusagen",
        "zusagt",
        "zutage",
        "richten",
        "richter",
        "gerade",
        "gerede",
        "geraet",
        "garten",
        "karten",
        "sonne",
        "sonntagen",
        "montagen",
        "monaten",
    ]
)
"""Words that are one slip from an answer but words of their own: never taken for a misspelling."""
