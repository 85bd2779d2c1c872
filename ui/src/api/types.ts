// Short names for the types of the API's description (schema.d.ts, generated).
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Machine = Schemas["Machine"];
export type Operation = Schemas["Operation"];
export type Step = Schemas["Step"];
export type Service = Schemas["Service"];
export type Instance = Schemas["Instance"];
export type Attribute = Schemas["Attribute"];
export type AttributeValue = Schemas["AttributeValue"];
export type Overview = Schemas["Overview"];
export type Attention = Schemas["Attention"];
export type Subnet = Schemas["Subnet"];
export type Cause = Schemas["Cause"];
export type Condition = Schemas["Condition"];
export type Facts = Schemas["Facts"];
export type Disk = Schemas["Disk"];
export type Progress = Schemas["Progress"];
export type Boot = Schemas["Boot"];
export type BootEvent = Schemas["BootEvent"];
export type BootShow = Schemas["BootShow"];
export type Event = Schemas["Event"];
export type LogLine = Schemas["LogLine"];
export type Recipe = Schemas["RecipeInfo"];
export type Template = Schemas["Template"];
export type Image = Schemas["Image"];
export type Session = Schemas["Session"];
export type Version = Schemas["Version"];
export type Problem = Schemas["Problem"];
export type StreamMessage = Schemas["StreamMessage"];
export type AcceptRequest = Schemas["AcceptRequest"];
export type PowerRequest = Schemas["PowerRequest"];
export type ReleaseRequest = Schemas["ReleaseRequest"];
export type DeployRequest = Schemas["DeployRequest"];
