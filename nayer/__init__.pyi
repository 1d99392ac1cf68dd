from nayer import presets as presets
from nayer import teachers as teachers
from nayer.config import Config as Config
from nayer.errors import NayerError as NayerError
from nayer.exports.hub_folder import Student as Student
from nayer.library import Distilled as Distilled
from nayer.library import distill as distill
from nayer.library import list_presets as list_presets
from nayer.library import list_teachers as list_teachers
from nayer.library import load_student as load_student
from nayer.library import named_run as named_run
from nayer.library import own_run as own_run
from nayer.library import own_teacher as own_teacher

__version__: str
