"""Every command, asked for something that takes little."""

PRINTING = {
    "help": ("--help",),
    "test": ("test", "1,0,1,0,1", "--model", "rnn"),
    "board": ("board",),
    "board as JSON": ("board", "--json"),
    "board as CSV": ("board", "--csv"),
    "complete": ("complete", "0,1,1", "--model", "cnn"),
    "guess": ("guess", "--omit-random", "3"),
    "atlas": ("atlas", "unembed.bias", "--model", "rnn"),
    "mechanism": ("mechanism", "--model", "cnn"),
    "conditions list": ("conditions", "list"),
    "conditions show": ("conditions", "show", "known"),
    "conditions export": ("conditions", "export"),
    "conditions compare": ("conditions", "compare"),
    "train with lines of JSON": ("train", "cnn", "--epochs", "0.001", "--seed", "8", "--json-lines"),
}
SILENT = {
    "generate": ("generate", "--name", "drawn"),
    "train": ("train", "cnn", "--epochs", "0.001", "--seed", "9"),
    "export": ("export", "L0.resid", "kept.npz"),
    "conditions save": ("conditions", "save", "new", "--on", "zero:L1"),
    "conditions rename": ("conditions", "rename", "known", "renamed"),
    "conditions delete": ("conditions", "delete", "known"),
    "conditions import": ("conditions", "import", "shared.json"),
}
WRITING = SILENT | {
    "train all": ("train", "all", "--seed", "9"),
    "training several": ("train", "cnn", "--seeds", "5:9"),
    "report": ("mechanism", "--model", "cnn", "--report", "kept.html"),
}
ALL = PRINTING | SILENT
